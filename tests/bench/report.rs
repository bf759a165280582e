//! The table on standard output.

use std::time::Duration;

use crate::load::Sample;
use crate::world::World;

/// Prints as it goes, so that a long run can be watched.
pub struct Report;

impl Report {
    /// Says what is measured and prints the head of the table.
    pub fn start(world: &World) -> Self {
        println!(
            "database: {}; {} users; groups of {}",
            world.kind(),
            world.users.len(),
            world
                .groups
                .iter()
                .map(|group| group.size.to_string())
                .collect::<Vec<_>>()
                .join(", ")
        );
        println!(
            "{:<24} {:>7} {:>9} {:>9} {:>9} {:>8}   bare limit in the same run",
            "operation", "clients", "req/s", "p50 ms", "p99 ms", "cpu µs"
        );
        Self
    }

    /// One operation at one number of clients, and its bare limits.
    pub fn line(&mut self, name: &str, clients: usize, sample: &Sample, limits: &[(&str, Sample)]) {
        let cpu = sample
            .cpu_per_request()
            .map_or_else(String::new, |cpu| format!("{cpu:.0}"));
        let mut line = format!(
            "{name:<24} {clients:>7} {:>9.0} {:>9.2} {:>9.2} {cpu:>8}  ",
            sample.rate(),
            millis(sample.percentile(0.5)),
            millis(sample.percentile(0.99)),
        );
        for (kind, limit) in limits {
            line.push_str(&format!(
                " {kind} {:.0}/s p50 {:.2} p99 {:.2} -> {:.0} %;",
                limit.rate(),
                millis(limit.percentile(0.5)),
                millis(limit.percentile(0.99)),
                100.0 * sample.rate() / limit.rate().max(1e-9)
            ));
            if let Some(cpu) = limit.cpu_per_request() {
                line.push_str(&format!(" cpu {cpu:.0} µs;"));
            }
            if limit.errors > 0 {
                line.push_str(&format!(" ({} errors)", limit.errors));
            }
        }
        if sample.errors > 0 {
            line.push_str(&format!("  !! {} errors", sample.errors));
        }
        println!("{line}");
    }

    /// How the last sample's median compares with the first's.
    pub fn ratio(&mut self, name: &str, samples: &[Sample]) {
        if let (Some(first), Some(last)) = (samples.first(), samples.last()) {
            let (first, last) = (first.percentile(0.5), last.percentile(0.5));
            println!(
                "{name}: median {:.3} ms / {:.3} ms = {:.2}",
                millis(last),
                millis(first),
                last.as_secs_f64() / first.as_secs_f64().max(1e-9)
            );
        }
    }

    /// The server's resident memory.
    pub fn memory(&mut self, when: &str, world: &World) {
        if let Some(kib) = world.resident_kib() {
            println!(
                "resident memory of the server {when}: {:.1} MB",
                kib as f64 / 1024.0
            );
        }
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
