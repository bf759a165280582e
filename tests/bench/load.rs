//! Callers in a closed loop: each begins its next operation when the last one has ended.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

/// What was measured with one number of callers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measured {
    /// Operations per second.
    pub rate: f64,
    pub p50: Duration,
    pub p99: Duration,
}

/// Runs `callers` of `operation` for `time`, after a fifth of it that does not count.
pub async fn measure<C>(
    callers: usize,
    time: Duration,
    make: impl AsyncFn() -> anyhow::Result<C>,
    operation: impl AsyncFn(&mut C) -> anyhow::Result<()>,
) -> anyhow::Result<Measured> {
    let mut all = Vec::with_capacity(callers);
    for _ in 0..callers {
        all.push(make().await?);
    }
    let begin = Instant::now() + time / 5;
    let end = begin + time;
    let (operation, loops) = (&operation, all.iter_mut());
    let samples = try_join_all(loops.map(|caller| async move {
        let mut samples = Vec::new();
        loop {
            let started = Instant::now();
            if started >= end {
                return Ok::<_, anyhow::Error>(samples);
            }
            operation(caller).await?;
            let ended = Instant::now();
            if started >= begin && ended <= end {
                samples.push(ended - started);
            }
        }
    }))
    .await?;
    Ok(of(samples.concat(), time))
}

fn of(mut samples: Vec<Duration>, time: Duration) -> Measured {
    let rate = samples.len() as f64 / time.as_secs_f64();
    Measured {
        rate,
        p50: percentile(&mut samples, 50),
        p99: percentile(&mut samples, 99),
    }
}

/// The value that so many percent of the samples do not exceed; zero when there is none.
pub fn percentile(samples: &mut [Duration], percent: usize) -> Duration {
    samples.sort_unstable();
    samples
        .get((samples.len() * percent / 100).min(samples.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}
