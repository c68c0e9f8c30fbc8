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

/// The version of CUDA that stands where its installers put it, or that a container says.
pub(crate) fn cuda_version() -> Option<String> {
    let root = std::env::var_os("CUDA_HOME").unwrap_or_else(|| "/usr/local/cuda".into());
    let read = |name: &str| fs::read_to_string(Path::new(&root).join(name)).ok();
    let of_installer = read("version.json").and_then(|text| cuda_of_json(&text));
    of_installer
        .or_else(|| read("version.txt").and_then(|text| cuda_of_text(&text)))
        .or_else(|| {
            Some(
                std::env::var_os("CUDA_VERSION")?
                    .to_string_lossy()
                    .into_owned(),
            )
        })
        .filter(|version| !version.is_empty())
}

fn cuda_of_json(text: &str) -> Option<String> {
    let document: serde_json::Value = serde_json::from_str(text).ok()?;
    document["cuda"]["version"].as_str().map(str::to_owned)
}

fn cuda_of_text(text: &str) -> Option<String> {
    let version = text.trim().strip_prefix("CUDA Version")?;
    Some(version.trim().to_owned())
}

/// The version of the graphics cards' driver.
pub(crate) fn gpu_driver() -> Option<String> {
    driver_of(&fs::read_to_string("/proc/driver/nvidia/version").ok()?)
}

fn driver_of(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("NVRM version"))?;
    let is_version = |word: &&str| {
        word.contains('.') && word.bytes().all(|it| it.is_ascii_digit() || it == b'.')
    };
    line.split_ascii_whitespace()
        .find(is_version)
        .map(str::to_owned)
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
        let json = r#"{"cuda": {"name": "CUDA SDK", "version": "12.4.1"}}"#;
        assert_eq!(cuda_of_json(json).as_deref(), Some("12.4.1"));
        assert_eq!((cuda_of_json("{}"), cuda_of_json("x")), (None, None));
        let text = "CUDA Version 10.1.243\n";
        assert_eq!(cuda_of_text(text).as_deref(), Some("10.1.243"));
        let driver = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug\nGCC version: 12.3\n";
        assert_eq!(driver_of(driver).as_deref(), Some("535.104.05"));
        assert_eq!(driver_of("GCC version: 12.3\n"), None);
        let zone = Path::new("/usr/share/zoneinfo/Europe/Berlin");
        assert_eq!(zone_of(zone).as_deref(), Some("Europe/Berlin"));
    }
}
