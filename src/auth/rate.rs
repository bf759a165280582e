//! Rates: how many requests a token may send, and how many wrong tokens an address. Requirements B28, B33, E22.
//!
//! A bucket is one number, the instant at which it will be full again (the generic cell rate algorithm), changed without
//! a lock: what a request pays is one exchange of it. Time is what the caller says, in nanoseconds since any beginning,
//! and must come from a clock that nobody sets (C23). Not here: who is counted, and what is answered.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// A second in nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// How many per second, and how many at once after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    per_second: u64,
    burst: u64,
}

/// What is left in a bucket after a request was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    pub units: u64,
    /// Seconds until the bucket is full again.
    pub full_in: u64,
}

/// A request that came too early: seconds to wait, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(pub u64);

impl Rate {
    /// So many per second, and as many as fit into two seconds at once.
    #[must_use]
    pub const fn per_second(count: u32) -> Self {
        let per_second = if count == 0 { 1 } else { count as u64 };
        Self {
            per_second,
            burst: per_second * 2,
        }
    }

    /// How many at once after a pause.
    #[must_use]
    pub const fn burst(self) -> u64 {
        self.burst
    }

    /// How many in the long run.
    #[must_use]
    pub const fn each_second(self) -> u64 {
        self.per_second
    }

    /// The seconds in which an empty bucket fills.
    #[must_use]
    pub const fn window(self) -> u64 {
        self.burst.div_ceil(self.per_second)
    }
}

/// One bucket, full at first.
#[derive(Debug, Default)]
pub struct Bucket(AtomicU64);

impl Bucket {
    /// Takes so many units out. What is more than the bucket holds is let through when it is full, and paid for after.
    pub fn take(&self, rate: Rate, units: u64, now: u64) -> Result<Left, Wait> {
        let span = |units: u64| units.saturating_mul(SECOND) / rate.per_second;
        let (cost, room) = (span(units), span(rate.burst - units.min(rate.burst)));
        let mut full_at = self.0.load(Ordering::Relaxed);
        loop {
            let from = full_at.max(now);
            if from - now > room {
                return Err(Wait((from - now - room).div_ceil(SECOND).max(1)));
            }
            let then = from.saturating_add(cost);
            match self
                .0
                .compare_exchange_weak(full_at, then, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => {
                    let missing = then - now;
                    return Ok(Left {
                        units: span(rate.burst).saturating_sub(missing) / span(1).max(1),
                        full_in: missing.div_ceil(SECOND),
                    });
                }
                Err(rival) => full_at = rival,
            }
        }
    }
}

/// What is counted of one token on this node.
#[derive(Debug, Default)]
pub struct Meter {
    pub reads: Bucket,
    pub writes: Bucket,
    pub bulk: Bucket,
}

/// Into how many parts the addresses are dealt, so that two of them rarely wait for each other.
const PARTS: usize = 16;
/// How many addresses a part remembers.
const ADDRESSES: usize = 1024;
/// The window in which failures are counted.
const MINUTE: u64 = 60 * SECOND;
/// The longest pause that wrong tokens earn, in seconds.
const LONGEST: u64 = 300;

#[derive(Clone, Copy, Debug, Default)]
struct Source {
    since: u64,
    failures: u32,
    blocked_until: u64,
    pause: u64,
}

/// Wrong tokens by address. Good tokens never come here, whatever their address has done (B33).
#[derive(Debug)]
pub struct Failures {
    allowed: u32,
    parts: [Mutex<HashMap<IpAddr, Source>>; PARTS],
}

impl Failures {
    /// So many wrong tokens a minute are answered; the next ones are told to wait.
    #[must_use]
    pub fn new(allowed: u32) -> Self {
        Self {
            allowed,
            parts: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Counts a wrong token. Errors: this address must wait; each time longer while it goes on.
    pub fn count(&self, address: IpAddr, now: u64) -> Result<(), Wait> {
        let prefix = prefix(address);
        let Some(part) = self.parts.get(part_of(prefix)) else {
            return Ok(());
        };
        let mut sources = part.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.len() >= ADDRESSES && !sources.contains_key(&prefix) {
            sources.retain(|_, source| {
                now < source.blocked_until || now.saturating_sub(source.since) < MINUTE
            });
            if sources.len() >= ADDRESSES {
                sources.clear();
            }
        }
        let source = sources.entry(prefix).or_default();
        if now < source.blocked_until {
            return Err(Wait((source.blocked_until - now).div_ceil(SECOND).max(1)));
        }
        let age = now.saturating_sub(source.since);
        if source.failures == 0 || age >= MINUTE {
            if age >= 10 * MINUTE {
                source.pause = 0;
            }
            source.since = now;
            source.failures = 0;
        }
        source.failures += 1;
        if source.failures <= self.allowed {
            return Ok(());
        }
        source.pause = (source.pause * 2).clamp(1, LONGEST);
        source.blocked_until = now.saturating_add(source.pause * SECOND);
        Err(Wait(source.pause))
    }
}

/// An address as it is counted: IPv6 by its network, of which one host has many.
fn prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        IpAddr::V4(address) => IpAddr::V4(address),
    }
}

fn part_of(prefix: IpAddr) -> usize {
    let sum = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0_usize, |sum, byte| sum * 31 + usize::from(*byte))
    };
    let sum = match prefix {
        IpAddr::V4(address) => sum(&address.octets()),
        IpAddr::V6(address) => sum(&address.octets()[..8]),
    };
    sum % PARTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_then_its_rate_and_says_how_long_to_wait() {
        // B28, E22
        let (bucket, rate) = (Bucket::default(), Rate::per_second(10));
        for left in (0..20).rev() {
            assert_eq!(bucket.take(rate, 1, 5).map(|left| left.units), Ok(left));
        }
        assert_eq!(bucket.take(rate, 1, 5), Err(Wait(1)));
        assert!(bucket.take(rate, 1, 5 + SECOND / 10).is_ok());
        assert!(bucket.take(rate, 1, 5 + SECOND / 10).is_err());
        let later = 100 * SECOND;
        assert_eq!(bucket.take(rate, 1, later).map(|left| left.units), Ok(19));
    }

    #[test]
    fn ten_seconds_of_twice_the_rate_let_the_rate_through() {
        let (bucket, rate) = (Bucket::default(), Rate::per_second(100));
        let let_through = (0..2_000)
            .filter(|n| bucket.take(rate, 1, n * SECOND / 200).is_ok())
            .count();
        assert!((1_190..=1_201).contains(&let_through), "{let_through}");
    }

    #[test]
    fn what_is_larger_than_the_bucket_passes_when_it_is_full_and_is_paid_for() {
        let (bucket, rate) = (Bucket::default(), Rate::per_second(10));
        assert!(bucket.take(rate, 50, 0).is_ok());
        assert_eq!(bucket.take(rate, 1, 0), Err(Wait(4)), "30 units are owed");
        assert!(bucket.take(rate, 50, 5 * SECOND).is_ok());
    }

    #[test]
    fn rivals_never_get_more_than_there_is() {
        let (bucket, rate) = (Bucket::default(), Rate::per_second(500));
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        (0..1_000)
                            .filter(|_| bucket.take(rate, 1, 7).is_ok())
                            .count()
                    })
                })
                .collect();
            threads
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .sum()
        });
        assert_eq!(taken, 1_000);
    }

    #[test]
    fn wrong_tokens_wait_longer_each_time_and_other_addresses_not_at_all() {
        // B33
        let failures = Failures::new(20);
        let at = |text: &str| text.parse::<IpAddr>().expect("an address");
        for n in 0..20 {
            assert_eq!(failures.count(at("192.0.2.1"), n), Ok(()));
        }
        let mut now = 20;
        for pause in [1, 2, 4, 8] {
            assert_eq!(failures.count(at("192.0.2.1"), now), Err(Wait(pause)));
            assert_eq!(
                failures.count(at("::ffff:192.0.2.1"), now),
                Err(Wait(pause))
            );
            now += pause * SECOND;
        }
        assert_eq!(failures.count(at("192.0.2.2"), now), Ok(()));
        assert_eq!(failures.count(at("192.0.2.1"), now + 20 * MINUTE), Ok(()));
        for host in 0..20 {
            let network = at(&format!("2001:db8::{host:x}"));
            assert_eq!(failures.count(network, 0), Ok(()));
        }
        assert_eq!(failures.count(at("2001:db8::ffff"), 0), Err(Wait(1)));
        assert_eq!(failures.count(at("2001:db8:0:1::1"), 0), Ok(()));
    }

    #[test]
    fn strangers_without_number_do_not_fill_the_memory() {
        let failures = Failures::new(1);
        for n in 0..200_000_u32 {
            let _ = failures.count(IpAddr::from(n.to_be_bytes()), 0);
        }
        let kept: usize = failures
            .parts
            .iter()
            .map(|part| part.lock().unwrap_or_else(PoisonError::into_inner).len())
            .sum();
        assert!(kept <= PARTS * ADDRESSES, "{kept}");
    }
}
