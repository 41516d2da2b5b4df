//! What the program takes of its machine, under the names all programs use.

use std::fmt;
use std::time::Duration;

use procfs::process::{LimitValue, Process as Found};
use procfs::{ProcResult, WithCurrentSystemInfo, boot_time_secs, ticks_per_second};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

#[derive(Debug)]
pub(super) struct Process;

struct Usage {
    /// Of all threads, in seconds.
    cpu: f64,
    resident_bytes: u64,
    threads: u64,
    descriptors: u64,
    most_descriptors: u64,
    /// Unix time in seconds.
    started_at: u64,
}

impl Collector for Process {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> fmt::Result {
        // Where /proc is not to be read there is nothing to say.
        let Ok(usage) = usage() else { return Ok(()) };
        let cpu = ConstCounter::new(usage.cpu);
        let (name, help) = ("process_cpu_seconds", "CPU time of all threads");
        cpu.encode(to.encode_descriptor(name, help, None, cpu.metric_type())?)?;
        for (name, help, value) in [
            (
                "process_resident_memory_bytes",
                "Memory that is not swapped out",
                usage.resident_bytes,
            ),
            ("process_threads", "Threads", usage.threads),
            (
                "process_open_fds",
                "File descriptors that are open",
                usage.descriptors,
            ),
            (
                "process_max_fds",
                "The most there may be",
                usage.most_descriptors,
            ),
            (
                "process_start_time_seconds",
                "When it started",
                usage.started_at,
            ),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(to.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

fn usage() -> ProcResult<Usage> {
    let found = Found::myself()?;
    let stat = found.stat()?;
    let second = ticks_per_second().max(1);
    let cpu = Duration::from_millis((stat.utime + stat.stime) * 1000 / second);
    let most = match found.limits()?.max_open_files.soft_limit {
        LimitValue::Value(most) => most,
        LimitValue::Unlimited => u64::MAX,
    };
    Ok(Usage {
        cpu: cpu.as_secs_f64(),
        resident_bytes: stat.rss_bytes().get(),
        threads: u64::try_from(stat.num_threads).unwrap_or_default(),
        descriptors: found.fd_count()? as u64,
        most_descriptors: most,
        started_at: boot_time_secs()? + stat.starttime / second,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_has_taken_something_and_started_before_now() {
        let usage = usage().unwrap();
        assert!(usage.resident_bytes > 1_000_000);
        assert!(usage.threads > 0 && usage.descriptors > 0);
        assert!(usage.most_descriptors >= usage.descriptors);
        assert!(usage.started_at > 1_700_000_000);
    }
}
