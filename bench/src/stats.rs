//! Statistics: CPU time of one thread against SciPy, statsmodels and pingouin on the same samples in the same run, and
//! resampling on two threads.
//!
//! Not here: whether the results are right in every digit (the oracles of the crate); the few that both compute are
//! compared all the same. Without Python or its packages this bench fails, it does not skip.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use trialbook_stats::{
    Bootstrapped, Correction, Draws, Level, SplitMix64, Statistic, Undefined, adjust, bootstrap,
    describe, mann_whitney, permute_difference, welch_t_test,
};

use crate::figure::Figure;
use crate::machine::seconds;

const BENCH: &str = "stats";
/// The peers, in the versions that the targets were set against.
const PACKAGES: [&str; 4] = [
    "numpy==2.4.6",
    "scipy==1.17.1",
    "statsmodels==0.15.0",
    "pingouin==0.7.0",
];
/// What measures them.
const SCRIPT: &str = include_str!("../stats.py");
/// What the peers need.
const NEEDS: &str = "this bench compares with Python's packages and needs `python3` with its \
    module `venv`, and PyPI";
const LEVEL: Level = Level::NINETY_FIVE;
const DRAWS: Draws = Draws::new(1, 10_000);

/// The figures.
pub(crate) fn run(folder: &Path) -> Result<Vec<Figure>> {
    let python = python(Path::new("target/bench-python"))?;
    let samples = Samples::draw();
    let peers = measure_peers(&python, &samples, folder)?;
    agree(&samples, &peers.results)?;
    let mut figures = Vec::new();
    for task in TASKS {
        let ours = cpu(|| (task.ours)(&samples))?;
        let theirs = peers.cpu_seconds.get(task.peer);
        let theirs = *theirs.with_context(|| format!("no time for `{}`", task.peer))?;
        figures.push(
            Figure::lower(BENCH, task.name, ours * 1e3, "CPU ms")
                .limit(format!("{} (CPU ms)", task.package), theirs * 1e3),
        );
        let name = format!("{}, against {}", task.name, task.package);
        figures.push(Figure::higher(BENCH, name, theirs / ours, "times").target(task.target));
    }
    figures.push(scaling(&samples)?);
    Ok(figures)
}

/// One question that both answer.
struct Task {
    name: &'static str,
    package: &'static str,
    /// Its name in the script.
    peer: &'static str,
    /// How many times faster it must be.
    target: f64,
    ours: fn(&Samples) -> Result<(), Undefined>,
}

const TASKS: [Task; 10] = [
    Task {
        name: "BCa of a mean, n = 1,000, 10,000 resamples",
        package: "scipy",
        peer: "bca_mean",
        target: 6.0,
        ours: |samples| done(bootstrap(&samples.one, Statistic::Mean, LEVEL, DRAWS)),
    },
    Task {
        name: "BCa of a rate, n = 1,000, 10,000 resamples",
        package: "scipy",
        peer: "bca_rate",
        target: 100.0,
        ours: |samples| done(bootstrap(&samples.rate, Statistic::Mean, LEVEL, DRAWS)),
    },
    Task {
        name: "BCa of a median, n = 1,000, 10,000 resamples",
        package: "scipy",
        peer: "bca_median",
        target: 12.0,
        ours: |samples| done(bootstrap(&samples.one, Statistic::Median, LEVEL, DRAWS)),
    },
    Task {
        name: "permutation of 2 × 1,000, 10,000 draws",
        package: "scipy",
        peer: "permutation_1000",
        target: 18.0,
        ours: |samples| done(permute_difference(&samples.x, &samples.y, DRAWS)),
    },
    Task {
        name: "permutation of 2 × 30, 10,000 draws",
        package: "scipy",
        peer: "permutation_30",
        target: 40.0,
        ours: |samples| done(permute_difference(&samples.few_x, &samples.few_y, DRAWS)),
    },
    Task {
        name: "Welch with interval, 2 × 1,000",
        package: "scipy",
        peer: "welch",
        target: 100.0,
        ours: |samples| done(welch_t_test(&samples.x, &samples.y, LEVEL)),
    },
    Task {
        name: "Welch with interval, 2 × 1,000",
        package: "pingouin",
        peer: "welch_pingouin",
        target: 300.0,
        ours: |samples| done(welch_t_test(&samples.x, &samples.y, LEVEL)),
    },
    Task {
        name: "Mann-Whitney of 2 × 10⁵",
        package: "scipy",
        peer: "mann_whitney",
        target: 4.0,
        ours: |samples| done(mann_whitney(&samples.many_x, &samples.many_y)),
    },
    Task {
        name: "Holm of 10⁴",
        package: "statsmodels",
        peer: "holm",
        target: 300.0,
        ours: |samples| done(adjust(&samples.p, Correction::Holm)),
    },
    Task {
        name: "description of 3·10⁵",
        package: "numpy",
        peer: "describe",
        target: 2.0,
        ours: |samples| done(describe(&samples.long)),
    },
];

/// The result was needed.
fn done<T>(result: Result<T, Undefined>) -> Result<(), Undefined> {
    black_box(result).map(|_| ())
}

/// What is asked about.
struct Samples {
    one: Vec<f64>,
    rate: Vec<f64>,
    x: Vec<f64>,
    y: Vec<f64>,
    few_x: Vec<f64>,
    few_y: Vec<f64>,
    many_x: Vec<f64>,
    many_y: Vec<f64>,
    long: Vec<f64>,
    p: Vec<f64>,
}

impl Samples {
    fn draw() -> Self {
        let mut random = SplitMix64::new(20);
        // Sums of twelve are nearly normal.
        let mut normal = |n: usize| -> Vec<f64> {
            let value = |random: &mut SplitMix64| (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
            (0..n).map(|_| value(&mut random)).collect()
        };
        let [one, x, y] = [(); 3].map(|()| normal(1_000));
        let [few_x, few_y] = [(); 2].map(|()| normal(30));
        let [many_x, many_y] = [(); 2].map(|()| normal(100_000));
        let long = normal(300_000);
        let mut units = SplitMix64::new(21);
        Self {
            one,
            rate: (0..1_000)
                .map(|_| f64::from(u8::from(units.unit() < 0.7)))
                .collect(),
            x,
            y,
            few_x,
            few_y,
            many_x,
            many_y,
            long,
            // Half of the questions have something to find, some of it much.
            p: (0..10_000)
                .map(|at| {
                    let unit = units.unit();
                    if at % 2 == 0 { unit } else { unit.powi(8) }
                })
                .collect(),
        }
    }

    fn named(&self) -> BTreeMap<&'static str, &[f64]> {
        BTreeMap::from([
            ("one", &self.one[..]),
            ("rate", &self.rate),
            ("x", &self.x),
            ("y", &self.y),
            ("few_x", &self.few_x),
            ("few_y", &self.few_y),
            ("many_x", &self.many_x),
            ("many_y", &self.many_y),
            ("long", &self.long),
            ("p", &self.p),
        ])
    }
}

/// What the script prints.
#[derive(Deserialize)]
struct Peers {
    cpu_seconds: BTreeMap<String, f64>,
    results: BTreeMap<String, f64>,
}

fn measure_peers(python: &Path, samples: &Samples, folder: &Path) -> Result<Peers> {
    let (script, input) = (folder.join("stats.py"), folder.join("samples.json"));
    std::fs::write(&script, SCRIPT)?;
    std::fs::write(&input, serde_json::to_vec(&samples.named())?)?;
    let output = Command::new(python).arg(&script).arg(&input).output()?;
    ensure!(
        output.status.success(),
        "the peers could not be measured: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).context("the peers' times cannot be read")
}

/// An interpreter with the peers' packages in a virtual environment; it is made once.
fn python(home: &Path) -> Result<PathBuf> {
    let (python, ready) = (home.join("bin/python"), home.join("packages"));
    let wanted = PACKAGES.join("\n");
    if std::fs::read_to_string(&ready).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let step = |command: &mut Command| -> Result<()> {
        let output = command.output().context(NEEDS)?;
        if !output.status.success() {
            bail!("{NEEDS}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    };
    step(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(home),
    )?;
    step(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(PACKAGES),
    )?;
    std::fs::write(ready, wanted)?;
    Ok(python)
}

/// The same questions have the same answers.
fn agree(samples: &Samples, peers: &BTreeMap<String, f64>) -> Result<()> {
    let welch = welch_t_test(&samples.x, &samples.y, LEVEL)?.p.two_sided.p;
    let ranks = mann_whitney(&samples.many_x, &samples.many_y)?;
    let long = describe(&samples.long)?;
    let holm: f64 = adjust(&samples.p, Correction::Holm)?.iter().sum();
    for (name, ours) in [
        ("welch", welch),
        ("mann_whitney", ranks.p.normal_corrected.p.two_sided.p),
        ("holm", holm),
        ("describe", long.sd.unwrap_or(f64::NAN) + long.median),
    ] {
        let theirs = peers.get(name).copied().unwrap_or(f64::NAN);
        let near = (ours - theirs).abs() <= 1e-9 * theirs.abs();
        ensure!(near, "`{name}` is {ours} here and {theirs} there");
    }
    Ok(())
}

/// The CPU seconds of this thread.
fn clock() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

/// The smallest CPU time of a call; calls that are too short for the clock are timed together.
fn cpu(call: impl Fn() -> Result<(), Undefined>) -> Result<f64> {
    /// CPU seconds of the calls that are timed together.
    const TOGETHER: f64 = 0.02;
    const ROUNDS: usize = 9;
    call()?;
    let start = clock();
    call()?;
    let calls = (TOGETHER / (clock() - start).max(1e-7)).ceil().max(1.0);
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = clock();
        for _ in 0..calls as usize {
            call()?;
        }
        best = best.min((clock() - start) / calls);
    }
    Ok(best)
}

/// How much faster two threads resample than one, with the same bits.
fn scaling(samples: &Samples) -> Result<Figure> {
    const ROUNDS: usize = 9;
    let draws = Draws::new(5, 100_000);
    let two = NonZeroUsize::MIN.saturating_add(1);
    let on = |draws: Draws| -> (f64, Result<Bootstrapped, Undefined>) {
        seconds(|| bootstrap(&samples.one, Statistic::Mean, LEVEL, draws))
    };
    let (mut alone, mut together) = (f64::INFINITY, f64::INFINITY);
    let (mut spin_alone, mut spin_together) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        let (took, one) = on(draws);
        alone = alone.min(took);
        let (took, both) = on(draws.on(two));
        together = together.min(took);
        ensure!(
            one?.intervals == both?.intervals,
            "two threads draw other bits than one"
        );
        let (took, ()) = seconds(|| {
            spin();
            spin();
        });
        spin_alone = spin_alone.min(took);
        let (took, ()) = seconds(|| {
            std::thread::scope(|scope| {
                scope.spawn(spin);
                scope.spawn(spin);
            });
        });
        spin_together = spin_together.min(took);
    }
    Ok(Figure::higher(
        BENCH,
        "BCa of a mean on two threads, same bits, against one",
        alone / together,
        "times",
    )
    .target(1.8)
    .limit("arithmetic alone", spin_alone / spin_together))
}

/// Arithmetic that waits for nothing.
fn spin() {
    let mut random = SplitMix64::new(3);
    let sum = (0..30_000_000).fold(0_u64, |sum, _| sum ^ random.word());
    black_box(sum);
}
