# Builds the one binary and puts it, alone and not as root, on a small image.
#   docker build -t rollcall . && docker run -p 8080:8080 -v rollcall:/data rollcall
FROM rust:1-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake clang && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked && strip target/release/rollcall

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --create-home rollcall
COPY --from=build /src/target/release/rollcall /usr/local/bin/rollcall
USER 10001
WORKDIR /data
VOLUME /data
ENV ROLLCALL_LISTEN=0.0.0.0:8080 ROLLCALL_DATABASE=sqlite:///data/rollcall.db
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["rollcall"]
CMD ["serve"]
