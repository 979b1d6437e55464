//! The table.

use std::io::Write as _;
use std::time::Duration;

use anyhow::Result;

use crate::arguments::Arguments;
use crate::load::Measurement;
use crate::machine::{self, Limits, Rate};
use crate::server::Settings;

/// What has been measured so far.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) limits: Limits,
    lines: Vec<String>,
    remarks: Vec<String>,
}

impl Table {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            lines: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// Adds how long it took to start.
    pub(crate) fn start(&mut self, name: &str, mut times: Vec<Duration>) {
        times.sort_unstable();
        let median = times[times.len() / 2];
        let worst = times[times.len() - 1];
        let count = times.len();
        self.remarks.push(format!(
            "- start to ready, `{name}`: median {}, worst of {count} {}",
            milliseconds(median),
            milliseconds(worst)
        ));
    }

    /// Adds what load showed.
    pub(crate) fn measured(&mut self, name: &str, limit: Option<Rate>, it: &Measurement) {
        let of_limit = limit.map_or_else(
            || "| |".to_owned(),
            |limit| {
                format!(
                    "{} | {} | {}",
                    whole(limit.a_second),
                    percent(it.a_second() / limit.a_second),
                    percent(it.a_cpu_second() / limit.a_cpu_second)
                )
            },
        );
        self.lines.push(format!(
            "| {name} | {} | {} | {} | {:.0} µs | {of_limit} |",
            whole(it.a_second()),
            milliseconds(it.percentile(50)),
            milliseconds(it.percentile(99)),
            1e6 / it.a_cpu_second(),
        ));
    }

    /// Adds what it held in memory before and after the load.
    pub(crate) fn memory(&mut self, idle: u64, after: u64) {
        let megabytes = |bytes: u64| format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10);
        self.remarks.push(format!(
            "- memory: {} idle, {} after the load",
            megabytes(idle),
            megabytes(after)
        ));
    }

    /// Prints all of it.
    pub(crate) fn print(&self, arguments: &Arguments, settings: &Settings) -> Result<()> {
        let mut out = std::io::stdout().lock();
        let scheme = settings.database.split(':').next().unwrap_or_default();
        let pinned = if machine::has_two_cores() {
            "each pinned to a core"
        } else {
            "not pinned to cores"
        };
        writeln!(
            out,
            "{}; server and load {pinned}; {scheme}; {} connections, {:.1} s each.\n",
            machine::processor(),
            arguments.connections,
            arguments.length.as_secs_f64()
        )?;
        for (name, limit) in [
            ("RSA-2048 signatures", self.limits.rs256),
            ("ES256 signatures", self.limits.es256),
            ("ES256 verifications", self.limits.es256_verification),
            ("argon2id hashes (19 MiB, t=2, p=1)", self.limits.argon2id),
            ("durable writes of 4 KiB", self.limits.durable_writes),
        ] {
            let (rate, by_cpu) = (whole(limit.a_second), whole(limit.a_cpu_second));
            writeln!(
                out,
                "- the core's limit, {name}: {rate} a second ({by_cpu} a CPU-second)"
            )?;
        }
        for remark in &self.remarks {
            writeln!(out, "{remark}")?;
        }
        writeln!(
            out,
            "\n| what | a second | p50 | p99 | CPU each | limit a second | of the limit | by CPU |\n\
             |---|--:|--:|--:|--:|--:|--:|--:|"
        )?;
        for line in &self.lines {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}

fn milliseconds(span: Duration) -> String {
    format!("{:.2} ms", span.as_secs_f64() * 1000.0)
}

fn percent(ratio: f64) -> String {
    format!("{:.0} %", ratio * 100.0)
}

/// A number without a fraction, its thousands apart.
fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().collect();
    groups
        .iter()
        .map(|group| String::from_utf8_lossy(group))
        .collect::<Vec<_>>()
        .join(",")
}
