//! What a verb knows of its surroundings: the environment, the clock, the printer, the book that is meant.
//!
//! Invariant: the environment is read here, once, and nowhere else.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::UNIX_EPOCH;

use anyhow::Context as _;
use trialbook_client::{Access, Address, Server};
use trialbook_model::id::Entropy;
use trialbook_model::time::{Clock, Timestamp};

use crate::cli::Options;
use crate::discovery::{self, Choice, DiscoveryError, Surroundings};
use crate::printer::{Face, Pager, Printer};

/// The surroundings of a verb.
#[derive(Debug)]
pub(crate) struct Context {
    /// The way out.
    pub(crate) printer: Printer,
    /// What decides which book is meant.
    around: Surroundings,
    /// `TRIALBOOK_RUN`.
    run: Option<String>,
    /// The user's name.
    user: Option<String>,
    /// How servers are come in to.
    access: Access,
    /// Where what was recorded for servers waits.
    outboxes: PathBuf,
    /// The folder of a book in which reading found much that is not sealed.
    unsealed: Rc<RefCell<Option<PathBuf>>>,
}

impl Context {
    /// Reads the surroundings.
    pub(crate) fn read(options: &Options) -> anyhow::Result<Self> {
        let here = std::env::current_dir().context("cannot tell the present folder")?;
        let around = Surroundings {
            flag: options.book.clone(),
            trialbook: variable("TRIALBOOK"),
            mlflow: variable("MLFLOW_TRACKING_URI"),
            database: variable("DATABASE_URL"),
            home: variable("HOME").map(Into::into),
            here,
            user: rustix::process::geteuid().as_raw(),
        };
        let outboxes = outboxes(&around);
        let printer = Printer::new(Face {
            json: options.json,
            no_color: variable("NO_COLOR").is_some(),
            dumb: variable("TERM").is_some_and(|term| term == "dumb"),
            columns: text("COLUMNS").and_then(|columns| columns.parse().ok()),
            pager: pager(options),
        });
        Ok(Self {
            printer,
            around,
            run: text("TRIALBOOK_RUN"),
            user: text("USER").or_else(|| text("LOGNAME")),
            access: Access {
                token: text("TRIALBOOK_TOKEN"),
                certificates: variable("TRIALBOOK_CA").map(Into::into),
            },
            outboxes,
            unsealed: Rc::default(),
        })
    }

    /// How servers are come in to.
    pub(crate) const fn access(&self) -> &Access {
        &self.access
    }

    /// Where what was recorded for servers waits: a folder for each of their books.
    pub(crate) fn outboxes(&self) -> &std::path::Path {
        &self.outboxes
    }

    /// The book that is meant, which may not exist yet.
    pub(crate) fn choice(&self) -> Result<Choice, DiscoveryError> {
        let is_ours = |address: &Address| Server::connect(address.clone(), &self.access).map(drop);
        let choice = discovery::choose(&self.around, is_ours)?;
        for passed_over in &choice.passed_over {
            self.printer.note(passed_over.to_string());
        }
        Ok(choice)
    }

    /// Where reading leaves the folder of a book that is worth a seal.
    pub(crate) fn unsealed(&self) -> Rc<RefCell<Option<PathBuf>>> {
        Rc::clone(&self.unsealed)
    }

    /// The present folder.
    pub(crate) fn here(&self) -> &std::path::Path {
        &self.around.here
    }

    /// Who records: `user@host`.
    pub(crate) fn actor(&self) -> String {
        let system = rustix::system::uname();
        let host = system.nodename().to_string_lossy().into_owned();
        match &self.user {
            Some(user) => format!("{user}@{host}"),
            None => host,
        }
    }

    /// The session of the shell that this process belongs to, unlike those of other machines and boots.
    pub(crate) fn session(&self) -> Option<String> {
        crate::session::current(&self.actor())
    }

    /// The run that `TRIALBOOK_RUN` names.
    pub(crate) fn run_variable(&self) -> Option<&str> {
        self.run.as_deref()
    }
}

/// The folder of outboxes: below the user's state folder, else here.
fn outboxes(around: &Surroundings) -> PathBuf {
    let state = variable("XDG_STATE_HOME").map(PathBuf::from);
    // The standard has a relative one ignored.
    let state = state.filter(|folder| folder.is_absolute());
    let state = state.or_else(|| Some(around.home.as_ref()?.join(".local").join("state")));
    match state {
        Some(state) => state.join("trialbook").join("outbox"),
        None => around.here.join(".trialbook-outbox"),
    }
}

/// The pager: none with `--no-pager`, or where the variable that decides is set to nothing.
fn pager(options: &Options) -> Pager {
    let own = std::env::var_os("TRIALBOOK_PAGER");
    let any = own.or_else(|| std::env::var_os("PAGER"));
    match any.and_then(|command| command.into_string().ok()) {
        _ if options.no_pager => Pager::Off,
        None => Pager::Usual,
        Some(command) if command.trim().is_empty() => Pager::Off,
        Some(command) => Pager::Command(command),
    }
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A variable as text; one that is no text counts as not set.
fn text(name: &str) -> Option<String> {
    variable(name).and_then(|value| value.into_string().ok())
}

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the clock of the binary")]
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH);
        Timestamp(since.map_or(0, |since| {
            i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
        }))
    }
}

/// The system's random generator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has a random generator");
    }
}
