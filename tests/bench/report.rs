//! The table a run prints, line by line as it is measured.

use std::time::Duration;

use crate::load::Measured;

/// Prints what it is told.
pub struct Report;

impl Report {
    pub fn new(database: &str) -> Self {
        let engine = if database.starts_with("sqlite") {
            "SQLite"
        } else {
            "PostgreSQL"
        };
        println!(
            "Rollcall over HTTP on {engine}; {} cores shared with the clients",
            cores()
        );
        Self
    }

    pub fn line(&mut self, text: &str) {
        println!("{text}");
    }

    /// Begins an operation's lines; `bare` says what its limit is.
    pub fn title(&mut self, operation: &str, bare: &str) {
        println!("\n{operation}   (bare: {bare})");
        println!("  clients |   HTTP/s   p50 ms   p99 ms |   bare/s   p50 ms   p99 ms | ratio");
    }

    pub fn row(&mut self, clients: usize, http: Measured, bare: Measured) {
        println!(
            "  {clients:>7} | {:>8.0} {:>8.2} {:>8.2} | {:>8.0} {:>8.2} {:>8.2} | {:>5.2}",
            http.rate,
            milliseconds(http.p50),
            milliseconds(http.p99),
            bare.rate,
            milliseconds(bare.p50),
            milliseconds(bare.p99),
            http.rate / bare.rate.max(f64::MIN_POSITIVE),
        );
    }
}

pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Resident memory of a process (`self` or its number), as Linux tells it; 0 elsewhere.
pub fn resident_megabytes(process: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line
        .and_then(|line| line.split_whitespace().next())
        .and_then(|text| text.parse::<usize>().ok());
    kilobytes.unwrap_or(0) / 1024
}
