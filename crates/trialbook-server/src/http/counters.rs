//! What is counted of requests, and how it is told to Prometheus.
//!
//! Not here: what the desk counts. Invariant: routes are told by their patterns, so that there are as many
//! series as routes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;

use crate::desk::Desk;

/// Upper bounds of latencies in seconds.
const BOUNDS: [f64; 10] = [
    0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 10.0,
];

/// What is counted of one route and class of answers.
#[derive(Debug, Clone, Default)]
struct Count {
    requests: u64,
    seconds: f64,
    buckets: [u64; BOUNDS.len()],
}

/// What is counted of requests.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    routes: Mutex<BTreeMap<(String, u16), Count>>,
}

impl Counters {
    /// Counts a request.
    pub(crate) fn add(&self, route: &str, status: StatusCode, took: Duration) {
        let seconds = took.as_secs_f64();
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let class = status.as_u16() / 100;
        let count = routes.entry((route.to_owned(), class)).or_default();
        count.requests += 1;
        count.seconds += seconds;
        for (bucket, bound) in count.buckets.iter_mut().zip(BOUNDS) {
            *bucket += u64::from(seconds <= bound);
        }
    }

    /// Everything as Prometheus reads it.
    pub(crate) fn told(&self, desk: &Desk) -> String {
        let mut text = String::new();
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        head(
            &mut text,
            "trialbook_request_seconds",
            "histogram",
            "Time to answer requests.",
        );
        for ((route, class), count) in &*routes {
            let route = route.replace('\\', "\\\\").replace('"', "\\\"");
            let labels = format!("route=\"{route}\",status=\"{class}xx\"");
            for (bucket, bound) in count.buckets.iter().zip(BOUNDS) {
                line(
                    &mut text,
                    "request_seconds_bucket",
                    &format!("{labels},le=\"{bound}\""),
                    bucket,
                );
            }
            let all = count.requests;
            line(
                &mut text,
                "request_seconds_bucket",
                &format!("{labels},le=\"+Inf\""),
                all,
            );
            line(&mut text, "request_seconds_sum", &labels, count.seconds);
            line(&mut text, "request_seconds_count", &labels, all);
        }
        drop(routes);
        told_of_desk(&mut text, desk);
        text
    }
}

fn told_of_desk(text: &mut String, desk: &Desk) {
    let tally = desk.tally();
    let measure = desk.measure();
    let counters = [
        (
            "writes_total",
            "Writes made durable.",
            tally.writes.load(Ordering::Relaxed),
        ),
        (
            "syncs_total",
            "Syncs that made writes durable.",
            tally.syncs.load(Ordering::Relaxed),
        ),
        (
            "operations_total",
            "Operations written.",
            tally.operations.load(Ordering::Relaxed),
        ),
        ("seals_total", "Seals of spools.", measure.seals),
        (
            "sealed_records_total",
            "Records sealed.",
            measure.sealed_records,
        ),
        (
            "failed_seals_total",
            "Seals that failed.",
            tally.failed_seals.load(Ordering::Relaxed),
        ),
        (
            "dropped_records_total",
            "Records dropped; there is no way to drop one.",
            0,
        ),
    ];
    for (name, help, value) in counters {
        head(text, &format!("trialbook_{name}"), "counter", help);
        line(text, name, "", value);
    }
    told_gauges(text, desk);
    let help = "Time that syncs took.";
    head(text, "trialbook_sync_seconds_total", "counter", help);
    let micros = tally.sync_micros.load(Ordering::Relaxed);
    line(text, "sync_seconds_total", "", micros as f64 / 1e6);
}

fn told_gauges(text: &mut String, desk: &Desk) {
    let measure = desk.measure();
    let gauges = [
        (
            "waiting_writes",
            "Writes that wait for the disk.",
            desk.waiting() as u64,
        ),
        (
            "unsealed_bytes",
            "Bytes in spools that are not sealed.",
            measure.unsealed_bytes,
        ),
        (
            "unsealed_runs",
            "Runs with records that are not sealed.",
            measure.unsealed_runs,
        ),
        ("spools", "Spools of other processes.", measure.spools),
        (
            "index_bytes",
            "Bytes of the snapshot of the column index.",
            desk.index_bytes(),
        ),
    ];
    for (name, help, value) in gauges {
        head(text, &format!("trialbook_{name}"), "gauge", help);
        line(text, name, "", value);
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("a string takes all");
}

fn line(text: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let labels = if labels.is_empty() {
        String::new()
    } else {
        format!("{{{labels}}}")
    };
    writeln!(text, "trialbook_{name}{labels} {value}").expect("a string takes all");
}
