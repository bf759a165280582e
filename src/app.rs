//! Composition: store, registry, keys, log, workers and routes become one server. The only place that knows everything.
//!
//! A server's life: open and migrate the database, bind, answer; on SIGTERM say "not ready", stop accepting, finish what
//! runs, write what is left of the sync log, end (C16).

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::config::Config;
use crate::http::api::in_flight::InFlight;
use crate::http::health::Metrics;
use crate::http::limits::Limits;
use crate::http::{AppState, Reached, envelope, routes};
use crate::scim::schema::Registry;
use crate::service::ServiceError;
use crate::service::jobs::run::Tools;
use crate::service::schemas;
use crate::service::sync_log::{self, SyncLogger};
use crate::service::tokens::{self, Gate};
use crate::store::{SoleServer, Store, StoreOptions};
use crate::worker;

/// How long a request may take to finish after SIGTERM.
const FINISH: Duration = Duration::from_secs(30);

/// Opens and migrates the database of a configuration. Blocks.
pub fn open(config: &Config) -> anyhow::Result<Store> {
    let options = StoreOptions {
        postgres_pool: config.postgres_pool,
        sealing: config.sealing.clone(),
        allow_unsafe: config.allow_unsafe_database,
        ..StoreOptions::default()
    };
    Ok(Store::open(&config.database, options)?)
}

/// The schemas of a configuration. To be read before the database is touched: a mistake in a file stops the start.
pub fn registry(config: &Config) -> anyhow::Result<Arc<Registry>> {
    let mut registry = Registry::builtin()?;
    if config.group_memberships {
        registry = registry.with_group_memberships()?;
    }
    if let Some(folder) = &config.schemas {
        registry = registry.with_directory(folder)?;
    }
    Ok(Arc::new(registry))
}

/// What every handler shares. Must be called on a tokio runtime, which then drives the sync log's writer.
fn state(
    config: &Config,
    registry: Arc<Registry>,
    store: Store,
    clock: Clock,
) -> anyhow::Result<AppState> {
    schemas::prepare(&store, &registry)?;
    sync_log::declare_secrets(&registry);
    let now = clock.now();
    if !store.vault().seals() {
        log::warn!(
            "the keys that sign tokens lie open in the database; name a sealing key in ROLLCALL_SEALING_KEY or in the file of --sealing-key-file"
        );
    }
    let (keys, cursor_key) = store.write_blocking("signing keys", move |db| {
        Ok::<_, ServiceError>((
            tokens::prepare_keys(db, now)?,
            tokens::derived(db, "REST cursors")?,
        ))
    })?;
    Ok(AppState {
        log: SyncLogger::start(store.clone()),
        store,
        registry,
        clock,
        public_url: config.public_url.clone(),
        tokens: Arc::new(Gate::new(keys)),
        metrics: Arc::new(Metrics::default()),
        in_flight: InFlight::default(),
        limits: Arc::new(Limits::new(config.limits)),
        cursor_key: Arc::new(cursor_key),
    })
}

/// A server that is bound and accepts from here on.
fn listen(config: &Config, state: &AppState) -> anyhow::Result<(Server, SocketAddr)> {
    let data = web::Data::new(state.clone());
    let public_url = config.public_url.clone();
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .wrap(from_fn(envelope::wrap))
            .configure(|app| routes::configure(app, &data.registry))
    })
    .on_connect(move |connection, data| {
        if let Some(stream) = connection.downcast_ref::<actix_web::rt::net::TcpStream>()
            && let Ok(address) = stream.local_addr()
        {
            data.insert(Reached::new(public_url.as_deref(), address));
        }
    })
    .workers(config.workers.unwrap_or(cores).max(1))
    .client_request_timeout(Duration::from_secs(10))
    .keep_alive(Duration::from_secs(60))
    // The waiting is ours (`stop`); this is what a connection gets whose request arrives at the last moment.
    .shutdown_timeout(1)
    .disable_signals()
    .bind(&config.listen)
    .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = server
        .addrs()
        .first()
        .copied()
        .context("the server is bound to no address")?;
    Ok((server.run(), address))
}

/// Serves until `stop` resolves, then drains. `hurry` cuts the draining short.
async fn serve_until(
    server: Server,
    state: AppState,
    delay: Duration,
    stop: impl Future<Output = ()> + 'static,
    hurry: impl Future<Output = ()> + 'static,
) -> anyhow::Result<()> {
    let handle = server.handle();
    let metrics = state.metrics.clone();
    let reconciler = actix_web::rt::spawn(worker::reconcile::run(
        state.store.clone(),
        state.clock.clone(),
    ));
    let jobs = actix_web::rt::spawn(worker::jobs::run(
        state.store.clone(),
        state.clock.clone(),
        Arc::new(Tools {
            registry: Arc::clone(&state.registry),
        }),
    ));
    let growth = actix_web::rt::spawn(worker::growth::run(state.store.clone()));
    let drain = actix_web::rt::spawn(async move {
        stop.await;
        metrics.drain();
        tokio::time::sleep(delay).await;
        handle.pause().await;
        let finished = async {
            let deadline = tokio::time::Instant::now() + FINISH;
            while metrics.in_flight() > 0 && tokio::time::Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let graceful = tokio::select! {
            () = finished => true,
            () = hurry => false,
        };
        handle.stop(graceful).await;
    });
    let ended = server.await;
    drain.abort();
    reconciler.abort();
    jobs.abort();
    growth.abort();
    state.log.flush().await;
    Ok(ended?)
}

/// Serves in the foreground until SIGTERM or an interrupt. `ready` is called with the address once it is bound.
/// Errors: the address is taken, the SQLite file is served by another process, a schema file is wrong.
pub fn serve(
    config: &Config,
    clock: Clock,
    (registry, store): (Arc<Registry>, Store),
    ready: impl FnOnce(&str),
) -> anyhow::Result<()> {
    let _sole = SoleServer::claim(&config.database)?;
    actix_web::rt::System::new().block_on(async move {
        let state = state(config, registry, store, clock)?;
        // Before the server is announced, so that a signal right after it is not lost.
        let (mut term, mut interrupt) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        let (mut again, mut interrupt_again) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        let (server, address) = listen(config, &state)?;
        ready(&format!("http://{address}"));
        let stop = async move {
            tokio::select! { _ = term.recv() => {}, _ = interrupt.recv() => {} }
            log::info!("stopping: finishing what runs");
        };
        let hurry = async move {
            // These streams saw the first signal, too.
            tokio::select! { _ = again.recv() => {}, _ = interrupt_again.recv() => {} }
            tokio::select! { _ = again.recv() => {}, _ = interrupt_again.recv() => {} }
        };
        serve_until(server, state, config.drain_delay, stop, hurry).await
    })
}

/// A server in this process, on threads of its own: for the demo and the tests. Stops when dropped.
pub struct Running {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// The same state the handlers share: store, clock, gate, log.
    pub state: AppState,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

/// Starts a server in this process and returns once it accepts.
pub fn spawn(config: Config, clock: Clock) -> anyhow::Result<Running> {
    let (announce, announced) = mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = std::thread::Builder::new()
        .name("rollcall server".to_owned())
        .spawn(move || {
            let registry = registry(&config)?;
            let store = open(&config)?;
            actix_web::rt::System::new().block_on(async move {
                let state = state(&config, registry, store, clock)?;
                let (server, address) = listen(&config, &state)?;
                // Nobody listens any more when the caller gave up; then the stop signal is gone, too, and the server ends.
                let _ = announce.send((format!("http://{address}"), state.clone()));
                let stop = async move {
                    let _ = stopped.await;
                };
                serve_until(
                    server,
                    state,
                    config.drain_delay,
                    stop,
                    std::future::pending(),
                )
                .await
            })
        })?;
    match announced.recv() {
        Ok((url, state)) => Ok(Running {
            url,
            state,
            stop: Some(stop),
            thread: Some(thread),
        }),
        // The thread ended before it could announce anything: its error says why.
        Err(_) => match thread.join() {
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) | Err(_) => Err(anyhow::anyhow!("the server ended before it began")),
        },
    }
}

impl Running {
    /// Stops the server and waits for its end.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.end()
    }

    /// Waits until the server ends, which it only does when the process is told to.
    pub fn wait(mut self) -> anyhow::Result<()> {
        join(self.thread.take())
    }

    fn end(&mut self) -> anyhow::Result<()> {
        if let Some(stop) = self.stop.take() {
            // The server may have ended by itself.
            let _ = stop.send(());
        }
        join(self.thread.take())
    }
}

fn join(thread: Option<JoinHandle<anyhow::Result<()>>>) -> anyhow::Result<()> {
    match thread.map(JoinHandle::join) {
        None => Ok(()),
        Some(Ok(ended)) => ended,
        Some(Err(_)) => Err(anyhow::anyhow!("the server's thread panicked")),
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            log::error!("the server did not end well: {error:#}");
        }
    }
}
