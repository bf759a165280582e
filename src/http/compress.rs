//! `Accept-Encoding: gzip` for answers that are whole in memory (H-39). Streams, small answers and what is no JSON go as they are.

use std::io::Write as _;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Below this, the effort is larger than what it saves.
const SMALLEST: u64 = 1024;

/// The answer, packed where that makes it smaller. To be asked for by those who [accept](accepts_gzip) it.
#[must_use]
pub fn packed(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let large =
        matches!(response.response().body().size(), BodySize::Sized(size) if size >= SMALLEST);
    if !large || !is_plain_json(response.headers()) {
        return response;
    }
    response.map_body(|head, body| {
        let bytes = match body.try_into_bytes() {
            Ok(bytes) => bytes,
            Err(stream) => return stream,
        };
        let Some(packed) = gzip(&bytes) else {
            return BoxBody::new(bytes);
        };
        head.headers
            .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        head.headers
            .insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        BoxBody::new(packed)
    })
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    packer.write_all(bytes).ok()?;
    packer.finish().ok()
}

fn is_plain_json(headers: &HeaderMap) -> bool {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().ends_with(b"json"));
    is_json && !headers.contains_key(header::CONTENT_ENCODING)
}

/// Whether `gzip`, or else `*`, has a weight above zero. RFC 9110 §12.5.3.
#[must_use]
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    let (mut named, mut any) = (None, None);
    for line in headers.get_all(header::ACCEPT_ENCODING) {
        for coding in line.to_str().unwrap_or_default().split(',') {
            let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
            let weight = parameters.trim().strip_prefix("q=").map(str::trim);
            let taken = weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|q| q > 0.0));
            match name.trim().to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => named = Some(taken),
                "*" => any = Some(taken),
                _ => {}
            }
        }
    }
    named.or(any).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_when_it_is_named_or_anything_is() {
        let accepts = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(text));
            accepts_gzip(&headers)
        };
        for yes in [
            "gzip",
            "GZIP",
            "br, gzip;q=0.1",
            "*",
            "x-gzip",
            "identity, *;q=0.5",
        ] {
            assert!(accepts(yes), "{yes}");
        }
        for no in [
            "",
            "br",
            "gzip;q=0",
            "*, gzip;q=0.0",
            "*;q=0",
            "gzip;q=much",
            "gzipped",
        ] {
            assert!(!accepts(no), "{no}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
