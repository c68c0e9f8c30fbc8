//! What this machine can do at best: the limits that figures are held against.

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Result;

use crate::figure::{Figure, median, quantile};

/// Seconds that a piece of work takes.
pub(crate) fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begun = Instant::now();
    let result = black_box(work());
    (begun.elapsed().as_secs_f64(), result)
}

/// Bytes a second that memory is copied at.
pub(crate) fn memory_copy() -> f64 {
    let from = vec![1_u8; 64 << 20];
    let mut to = vec![0_u8; 64 << 20];
    let mut rates: Vec<f64> = (0..7)
        .map(|_| {
            let (took, ()) = seconds(|| to.copy_from_slice(black_box(&from)));
            from.len() as f64 / took
        })
        .collect();
    median(&mut rates)
}

/// Microseconds of one appending `pwrite` of so many bytes: median and 99 %.
pub(crate) fn append_write(folder: &Path, bytes: usize) -> Result<(f64, f64)> {
    let path = folder.join("pwrite");
    let file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(&path)?;
    let piece = vec![7_u8; bytes];
    let mut times = Vec::with_capacity(50_000);
    for at in 0..50_000_u64 {
        let begun = Instant::now();
        file.write_all_at(&piece, at * bytes as u64)?;
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    std::fs::remove_file(path)?;
    Ok((quantile(&mut times, 0.5), quantile(&mut times, 0.99)))
}

/// Microseconds in which so many bytes are copied to memory of a new file, page by page: median and 99 %.
pub(crate) fn fresh_copy(bytes: usize) -> (f64, f64) {
    const PIECES: usize = 50_000;
    let piece = vec![7_u8; bytes];
    // Zeros that nobody has touched: the kernel gives each page at its first byte.
    let mut to = vec![0_u8; PIECES * bytes];
    let mut times = Vec::with_capacity(PIECES);
    for room in to.chunks_exact_mut(bytes) {
        let begun = Instant::now();
        room.copy_from_slice(black_box(&piece));
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    black_box(&to);
    (quantile(&mut times, 0.5), quantile(&mut times, 0.99))
}

/// Milliseconds in which all files of a folder are read, from the kernel's memory.
pub(crate) fn read_ms(folder: &Path) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        for entry in std::fs::read_dir(folder)? {
            black_box(std::fs::read(entry?.path())?);
        }
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(&mut times))
}

/// Bytes a value that pco packs at level 4, of columns in chunks of 4,096, or what they have.
pub(crate) fn codec_bytes(columns: &[Vec<f64>]) -> f64 {
    let config = pco::ChunkConfig::default().with_compression_level(4);
    let (mut bytes, mut values) = (0, 0);
    for chunk in columns.iter().flat_map(|column| column.chunks(4096)) {
        let packed = pco::standalone::simple_compress(chunk, &config).expect("finite sizes");
        bytes += packed.len();
        values += chunk.len();
    }
    bytes as f64 / values as f64
}

/// Lines a second of a file that are read and counted.
pub(crate) fn line_rate(file: &Path) -> Result<f64> {
    let mut rates = Vec::new();
    for _ in 0..5 {
        let (took, bytes) = seconds(|| std::fs::read(file));
        let begun = Instant::now();
        let lines = bytes?.split(|byte| *byte == b'\n').count();
        rates.push(lines as f64 / (took + begun.elapsed().as_secs_f64()));
    }
    Ok(median(&mut rates))
}

/// Syncs a second of small appends, `files` files written by one thread each.
pub(crate) fn sync_rate(folder: &Path, files: usize) -> Result<f64> {
    const SYNCS: usize = 150;
    let (took, result) = seconds(|| -> Result<()> {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..files)
                .map(|at| {
                    let path = folder.join(format!("sync-{at}"));
                    scope.spawn(move || -> Result<()> {
                        let mut file = File::create(&path)?;
                        for _ in 0..SYNCS {
                            file.write_all(&[7; 240])?;
                            file.sync_data()?;
                        }
                        std::fs::remove_file(&path)?;
                        Ok(())
                    })
                })
                .collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().expect("a worker does not panic"))
        })
    });
    result?;
    Ok((files * SYNCS) as f64 / took)
}

/// Values a second that pco encodes at level 4, of the mix in chunks of 4,096.
pub(crate) fn codec_encode(columns: &[Vec<f64>]) -> f64 {
    let config = pco::ChunkConfig::default().with_compression_level(4);
    let mut rates = Vec::new();
    for _ in 0..5 {
        let mut values = 0;
        let (took, ()) = seconds(|| {
            for chunk in columns.iter().flat_map(|column| column.chunks(4096)) {
                black_box(pco::standalone::simple_compress(chunk, &config).expect("finite sizes"));
                values += chunk.len();
            }
        });
        rates.push(values as f64 / took);
    }
    median(&mut rates)
}

/// Milliseconds in which pco decodes a column packed in chunks of 4,096.
pub(crate) fn codec_decode(column: &[f64]) -> f64 {
    let config = pco::ChunkConfig::default().with_compression_level(4);
    let chunks: Vec<Vec<u8>> = column
        .chunks(4096)
        .map(|chunk| pco::standalone::simple_compress(chunk, &config).expect("finite sizes"))
        .collect();
    let mut out = vec![0.0_f64; 4096];
    let mut times: Vec<f64> = (0..7)
        .map(|_| {
            let (took, ()) = seconds(|| {
                for chunk in &chunks {
                    let done = pco::standalone::simple_decompress_into(chunk, &mut out);
                    black_box(done.expect("what was just encoded"));
                }
            });
            took * 1e3
        })
        .collect();
    median(&mut times)
}

/// Milliseconds in which so many bytes are copied in memory.
pub(crate) fn copy_ms(bytes: usize) -> f64 {
    bytes as f64 / memory_copy() * 1e3
}

/// Milliseconds from fork to exit of a process that does nothing.
pub(crate) fn process_start() -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..101 {
        let begun = Instant::now();
        Command::new("/bin/true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(&mut times))
}

/// The limits by themselves.
pub(crate) fn run(folder: &Path) -> Result<Vec<Figure>> {
    let columns = crate::mix::columns(4096 * 4, 1);
    Ok(vec![
        Figure::higher("machine", "memcpy", memory_copy() / 1e9, "GB/s"),
        Figure::lower(
            "machine",
            "pwrite of 240 B, p50",
            append_write(folder, 240)?.0,
            "µs",
        ),
        Figure::higher("machine", "fdatasync, 1 file", sync_rate(folder, 1)?, "1/s"),
        Figure::higher(
            "machine",
            "fdatasync, 8 files",
            sync_rate(folder, 8)?,
            "1/s",
        ),
        Figure::higher("machine", "pco encode", codec_encode(&columns) / 1e6, "M/s"),
        Figure::lower("machine", "fork + exec + exit", process_start()?, "ms"),
    ])
}
