//! The machine: processor, memory, graphics cards, zone of time.
//!
//! Invariant: only files are read, no program is started.

use std::fs;
use std::path::Path;

/// The processor's name.
pub(crate) fn cpu_model() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    cpu_model_of(&text)
}

fn cpu_model_of(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name") || line.starts_with("Model"))?;
    let (_, name) = line.split_once(':')?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Memory in bytes.
pub(crate) fn memory_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    memory_of(&text)
}

fn memory_of(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|it| it.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// The names of NVIDIA's cards, as their driver tells them.
pub(crate) fn gpus() -> Vec<String> {
    let Ok(cards) = fs::read_dir("/proc/driver/nvidia/gpus") else {
        return Vec::new();
    };
    let mut names: Vec<String> = cards
        .filter_map(|card| {
            let text = fs::read_to_string(card.ok()?.path().join("information")).ok()?;
            let name = text.lines().find_map(|it| it.strip_prefix("Model:"))?;
            Some(name.trim().to_owned())
        })
        .collect();
    names.sort();
    names
}

/// The zone of time, such as `Europe/Berlin`.
pub(crate) fn timezone() -> Option<String> {
    if let Some(zone) = std::env::var_os("TZ").filter(|zone| !zone.is_empty()) {
        return Some(zone.to_string_lossy().into_owned());
    }
    zone_of(&fs::read_link("/etc/localtime").ok()?)
}

fn zone_of(link: &Path) -> Option<String> {
    let text = link.to_str()?;
    let (_, zone) = text.split_once("zoneinfo/")?;
    Some(zone.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_system_are_read() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz\n";
        assert_eq!(cpu_model_of(cpuinfo).as_deref(), Some("Some CPU @ 2.0GHz"));
        assert_eq!(cpu_model_of("processor : 0\n"), None);
        assert_eq!(
            memory_of("MemTotal:     16 kB\nMemFree: 1 kB\n"),
            Some(16384)
        );
        assert_eq!(memory_of("MemTotal: some\n"), None);
        let zone = Path::new("/usr/share/zoneinfo/Europe/Berlin");
        assert_eq!(zone_of(zone).as_deref(), Some("Europe/Berlin"));
    }
}
