//! The only way out: standard output and error, tables, JSON, the pager.
//!
//! Not here: what is said. Invariant: text that comes from data reaches a terminal without control
//! characters; a reader that goes away (`| head`) ends the program quietly.

mod escape;
mod styled;
mod table;

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write};
use std::process::{Command, ExitCode, Stdio};

use anyhow::Error;
use serde::Serialize;
use trialbook_model::code::ErrorCode;

use styled::Look;
pub(crate) use styled::{Line, Style};
pub(crate) use table::{Column, Table};

use crate::failure::Told;

/// What decides how things look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Face {
    /// JSON instead of text.
    pub(crate) json: bool,
    /// `NO_COLOR` is set.
    pub(crate) no_color: bool,
    /// The terminal cannot do more than text.
    pub(crate) dumb: bool,
    /// `COLUMNS`.
    pub(crate) columns: Option<usize>,
    /// Who shows what is longer than the terminal.
    pub(crate) pager: Pager,
}

/// Who shows what is longer than the terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Pager {
    /// The usual one.
    #[default]
    Usual,
    /// This command line.
    Command(String),
    /// Nobody: it is printed as it is.
    Off,
}

/// The way out.
#[derive(Debug)]
pub(crate) struct Printer {
    face: Face,
    /// Whether standard output is a terminal.
    terminal: bool,
    /// What is to be printed at the end, or shown in the pager.
    held: RefCell<String>,
}

/// The pager where none is named: it ends by itself when all fits, keeps colours, leaves the text there.
const PAGER: &str = "less -FRX";

impl Printer {
    /// The way out, as its face says.
    pub(crate) fn new(face: Face) -> Self {
        Self {
            face,
            terminal: io::stdout().is_terminal(),
            held: RefCell::default(),
        }
    }

    /// The way out before anything is known.
    pub(crate) fn plain() -> Self {
        Self::new(Face {
            no_color: true,
            ..Face::default()
        })
    }

    /// Whether JSON is wanted.
    pub(crate) const fn json_wanted(&self) -> bool {
        self.face.json
    }

    /// Prints a line.
    pub(crate) fn line(&self, line: impl Into<Line>) {
        let text = line.into().render(self.look(self.terminal));
        let mut held = self.held.borrow_mut();
        held.push_str(&text);
        held.push('\n');
    }

    /// Prints two texts with a tab between them, for programs.
    pub(crate) fn tabbed(&self, left: &str, right: &str) {
        let mut held = self.held.borrow_mut();
        held.push_str(&escape::plain(left));
        held.push('\t');
        held.push_str(&escape::plain(right));
        held.push('\n');
    }

    /// Prints a table as wide as the terminal at most.
    pub(crate) fn table(&self, table: &Table) {
        for line in table.lines(self.width()) {
            self.line(line);
        }
    }

    /// Prints a JSON document with its schema version first.
    pub(crate) fn json(&self, schema: u32, body: &impl Serialize) -> anyhow::Result<()> {
        #[derive(Serialize)]
        struct Document<'a, T> {
            schema: u32,
            #[serde(flatten)]
            body: &'a T,
        }
        let text = serde_json::to_string_pretty(&Document { schema, body })?;
        let mut held = self.held.borrow_mut();
        held.push_str(&escape::json(&text));
        held.push('\n');
        Ok(())
    }

    /// Prints a large JSON document in one line, at once.
    pub(crate) fn large_json(&self, document: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string(document)?;
        let mut out = self.stream();
        writeln!(out, "{}", escape::json(&text))?;
        Ok(out.flush()?)
    }

    /// Says something beside the result, on standard error.
    pub(crate) fn note(&self, line: impl Into<Line>) {
        let text = line.into().render(self.look(io::stderr().is_terminal()));
        drop(writeln!(io::stderr(), "{text}"));
    }

    /// Puts a text in the place of the last line of standard error, which has to be a terminal; the next note
    /// takes that place again. The empty text clears it.
    pub(crate) fn status(&self, text: &str) {
        let width = self.width().unwrap_or(80);
        let text: String = escape::plain(text)
            .chars()
            .take(width.saturating_sub(1))
            .collect();
        drop(write!(io::stderr(), "\r\u{1b}[K{text}\r"));
    }

    /// A warning, on standard error.
    pub(crate) fn warn(&self, text: &str) {
        self.note(Line::styled(Style::Yellow, "warning").plain(format!(": {text}")));
    }

    /// Standard output as a stream, for data that is not to be held: no pager, no escaping.
    #[expect(clippy::unused_self, reason = "the printer is the way out")]
    pub(crate) fn stream(&self) -> impl Write + use<> {
        io::BufWriter::with_capacity(1 << 16, io::stdout())
    }

    /// Tells why the program fails, and its exit code.
    pub(crate) fn failure(&self, error: &Error) -> ExitCode {
        let broken_pipe = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
        if error
            .chain()
            .any(|it| it.downcast_ref().is_some_and(broken_pipe))
        {
            return ExitCode::SUCCESS;
        }
        let told = Told::of(error);
        if self.face.json {
            let document = serde_json::json!({ "schema": 1, "error": &told }).to_string();
            drop(writeln!(io::stderr(), "{}", escape::json(&document)));
        } else {
            self.note(Line::styled(Style::Red, "error").plain(format!(": {}", told.message)));
            for cause in &told.causes {
                self.note(format!("  caused by: {cause}"));
            }
            if let Some(hint) = &told.hint {
                self.note(Line::styled(Style::Green, "hint").plain(format!(": {hint}")));
            }
        }
        ExitCode::from(told.exit)
    }

    /// Puts out what is held.
    pub(crate) fn finish(&self, code: ExitCode) -> ExitCode {
        let text = self.held.take();
        let height = self.terminal.then(terminal_height).flatten();
        if height.is_some_and(|height| text.lines().count() >= height) && self.page(&text) {
            return code;
        }
        let mut out = io::stdout();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => code,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => code,
            Err(error) => {
                self.failure(&Error::new(error).context("cannot write to standard output"))
            }
        }
    }

    /// Puts out what is held so far, for verbs that go on: no pager.
    pub(crate) fn flush(&self) -> anyhow::Result<()> {
        let text = self.held.take();
        let mut out = io::stdout();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// Puts out what is held so far in the place of what a terminal shows.
    pub(crate) fn frame(&self) -> anyhow::Result<()> {
        if self.terminal && !self.face.dumb {
            // Home, and everything below cleared.
            self.held.borrow_mut().insert_str(0, "\u{1b}[H\u{1b}[2J");
        }
        self.flush()
    }

    /// Asks whoever sits at the terminal; where nobody does, the answer is yes.
    #[expect(clippy::unused_self, reason = "the printer is the way in, too")]
    pub(crate) fn confirms(&self, question: &str) -> bool {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return true;
        }
        let question = escape::plain(question);
        drop(write!(io::stderr(), "{question} [y/N] "));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).is_ok()
            && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// Whether a pager showed it.
    fn page(&self, text: &str) -> bool {
        let command = match &self.face.pager {
            Pager::Usual => PAGER,
            Pager::Command(command) => command,
            Pager::Off => return false,
        };
        let mut words = command.split_whitespace();
        let Some(program) = words.next() else {
            return false;
        };
        let child = Command::new(program)
            .args(words)
            .stdin(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            return false;
        };
        if let Some(mut input) = child.stdin.take() {
            // A pager that is left early closes its end.
            drop(input.write_all(text.as_bytes()));
        }
        child.wait().is_ok()
    }

    /// How styles look where the output is a terminal or not.
    #[expect(clippy::fn_params_excessive_bools, reason = "what the system answers")]
    const fn look(&self, terminal: bool) -> Look {
        if terminal && !self.face.no_color && !self.face.dumb {
            Look::Coloured
        } else {
            Look::Bare
        }
    }

    /// Columns of the terminal; `None` where lines may be as long as they are.
    fn width(&self) -> Option<usize> {
        self.face
            .columns
            .or_else(|| self.terminal.then(terminal_width).flatten())
            .filter(|width| *width > 0)
    }
}

#[cfg(unix)]
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

#[cfg(unix)]
fn terminal_height() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_row)).filter(|rows| *rows > 0)
}

#[cfg(not(unix))]
const fn terminal_width() -> Option<usize> {
    None
}

#[cfg(not(unix))]
const fn terminal_height() -> Option<usize> {
    None
}

/// Shows what clap says: help and version on standard output, mistakes on standard error, as JSON where the words
/// of the command line ask for it.
pub(crate) fn show_usage(
    error: &clap::Error,
    mut words: impl Iterator<Item = OsString>,
) -> ExitCode {
    if error.use_stderr() && words.any(|word| word == "--json") {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default();
        let message = message.strip_prefix("error: ").unwrap_or(message);
        let told = serde_json::json!({
            "code": ErrorCode::Usage.word(),
            "message": message,
            "hint": "`--help` after the verb shows what it takes",
        });
        let document = serde_json::json!({ "schema": 1, "error": told }).to_string();
        drop(writeln!(io::stderr(), "{}", escape::json(&document)));
    } else {
        drop(error.print());
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}
