//! Closed loops: so many clients, each sending its next request when it has the last answer.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use crate::wire::Connection;

/// How many clients, for how long.
#[derive(Clone, Copy)]
pub struct Load {
    pub clients: usize,
    pub time: Duration,
}

/// What came out.
#[derive(Clone, Default)]
pub struct Sample {
    /// Sorted.
    pub latencies: Vec<Duration>,
    pub errors: u64,
    pub elapsed: Duration,
    /// Processor time of the server, where it is known.
    pub cpu: Option<Duration>,
}

impl Sample {
    /// Requests per second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// The latency that this share of requests did not exceed.
    pub fn percentile(&self, share: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies
            .get((last as f64 * share).round() as usize)
            .copied()
            .unwrap_or_default()
    }

    /// Microseconds of the server's processor per request.
    pub fn cpu_per_request(&self) -> Option<f64> {
        Some(self.cpu?.as_secs_f64() * 1e6 / self.latencies.len().max(1) as f64)
    }
}

/// Runs `one` in every client until the time is over or it says that there is nothing left to do.
/// `prepare` makes what a client keeps: a connection, a runtime.
pub fn run<S>(
    load: Load,
    prepare: impl Fn() -> S + Sync,
    one: impl Fn(&mut S) -> Option<bool> + Sync,
) -> Sample {
    let barrier = Barrier::new(load.clients + 1);
    let mut sample = Sample::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..load.clients)
            .map(|_| {
                scope.spawn(|| {
                    let mut state = prepare();
                    let (mut latencies, mut errors) = (Vec::with_capacity(16_384), 0);
                    barrier.wait();
                    let end = Instant::now() + load.time;
                    loop {
                        let started = Instant::now();
                        if started >= end {
                            return (latencies, errors);
                        }
                        match one(&mut state) {
                            Some(true) => latencies.push(started.elapsed()),
                            Some(false) => errors += 1,
                            None => return (latencies, errors),
                        }
                    }
                })
            })
            .collect();
        barrier.wait();
        let started = Instant::now();
        for thread in threads {
            let (latencies, errors) = thread.join().expect("a client");
            sample.latencies.extend(latencies);
            sample.errors += errors;
        }
        sample.elapsed = started.elapsed();
    });
    sample.latencies.sort_unstable();
    sample
}

/// [`run`] over HTTP: `next` makes the bytes of a request; any other status than `expected` is an error.
pub fn http(
    load: Load,
    address: &str,
    expected: u16,
    next: impl Fn() -> Option<Vec<u8>> + Sync,
) -> Sample {
    run(
        load,
        || Connection::new(address),
        |connection| {
            let request = next()?;
            Some(
                connection
                    .send(&request)
                    .is_ok_and(|answer| answer.status == expected),
            )
        },
    )
}
