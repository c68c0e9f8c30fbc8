//! One child process with its own process group: started, watched, signalled as a whole, reaped.
//!
//! Not here: deadlines, output, records. Invariant: the group is signalled only while its leader is not
//! reaped, so its number cannot mean somebody else; a leader is reaped exactly once.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

/// What is started, where, with which variables beside those of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The program and its arguments; at least the program.
    pub argv: Vec<String>,
    /// The working directory.
    pub directory: PathBuf,
    /// Variables added to the environment.
    pub variables: Vec<(OsString, OsString)>,
    /// Variables of this process that are not handed on.
    pub removed: Vec<OsString>,
}

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// No command at all.
    #[error("there is no command to start")]
    Empty,
    /// The program is nowhere on the path.
    #[error("command `{command}` was not found on the PATH")]
    NotOnPath {
        /// The program.
        command: String,
    },
    /// The program's file is missing.
    #[error("command `{command}` does not exist in `{directory}`")]
    NoFile {
        /// The program as given.
        command: String,
        /// What it is relative to.
        directory: PathBuf,
    },
    /// The file is there, but what its first line names is not.
    #[error("the interpreter that the first line of `{command}` names does not exist")]
    NoInterpreter {
        /// The program as given.
        command: String,
    },
    /// The program's file may not be executed.
    #[error("`{command}` may not be executed")]
    NotExecutable {
        /// The program as given.
        command: String,
    },
    /// The working directory is missing.
    #[error("the working directory `{directory}` does not exist")]
    NoDirectory {
        /// The directory.
        directory: PathBuf,
    },
    /// Arguments and variables are more than the system takes.
    #[error(
        "the arguments and params of `{command}` are longer than this system hands to a program"
    )]
    TooLong {
        /// The program as given.
        command: String,
    },
    /// Anything else that the system says.
    #[error("`{command}` could not be started")]
    System {
        /// The program as given.
        command: String,
        /// The system's word.
        #[source]
        source: io::Error,
    },
}

impl SpawnError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Empty => "give the program and its arguments".to_owned(),
            Self::NotOnPath { command } => {
                format!("install it, or name its file, such as `./{command}`")
            }
            Self::NoFile { .. } => {
                "paths of a command are relative to the folder of the config file".to_owned()
            }
            Self::NoInterpreter { .. } => "check the line that begins with `#!`".to_owned(),
            Self::NotExecutable { command } => format!("run `chmod +x {command}`"),
            Self::NoDirectory { .. } => "check `task.cwd`".to_owned(),
            Self::TooLong { .. } => "put long params into a file and name the file".to_owned(),
            Self::System { .. } => return None,
        })
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with a code.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

/// A started process.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    pid: Pid,
    watch: Option<OwnedFd>,
}

/// Its two streams, not blocking.
pub(super) struct Streams {
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

impl Process {
    /// Starts a program in a group of its own, with nothing on its standard input.
    pub(super) fn start(program: &Program) -> Result<(Self, Streams), SpawnError> {
        let (name, arguments) = program.argv.split_first().ok_or(SpawnError::Empty)?;
        let mut command = Command::new(name);
        command
            .args(arguments)
            .current_dir(&program.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        for variable in &program.removed {
            command.env_remove(variable);
        }
        command.envs(program.variables.iter().map(|(name, value)| (name, value)));
        let mut child = command
            .spawn()
            .map_err(|source| why(program, name, source))?;
        let stdout = child.stdout.take().expect("asked for as a pipe");
        let stderr = child.stderr.take().expect("asked for as a pipe");
        let process = Self {
            pid: Pid::from_child(&child),
            watch: watch(&child),
            child,
        };
        let blocking = |source| SpawnError::System {
            command: name.clone(),
            source,
        };
        rustix::io::ioctl_fionbio(&stdout, true).map_err(|error| blocking(error.into()))?;
        rustix::io::ioctl_fionbio(&stderr, true).map_err(|error| blocking(error.into()))?;
        Ok((process, Streams { stdout, stderr }))
    }

    /// The number of the process and of its group.
    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// A descriptor that becomes readable when the process has ended, where the system has such.
    pub(super) fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().map(|watch| watch.as_fd())
    }

    /// Whether the process has ended; it stays there to be reaped.
    pub(super) fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(
            rustix::process::waitid(WaitId::Pid(self.pid), options),
            Ok(Some(_))
        )
    }

    /// Sends a signal to the whole group. A group that is gone is no error.
    pub(super) fn signal(&self, signal: Signal) {
        // The only failures are "no such group" and, for a group of processes that changed their user,
        // "not permitted"; there is nothing that could be done about either.
        rustix::process::kill_process_group(self.pid, signal).ok();
    }

    /// Kills what is left of the group and takes the leader's exit status.
    pub(super) fn reap(mut self) -> io::Result<Exit> {
        self.signal(Signal::KILL);
        let status = self.child.wait()?;
        Ok(match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::Code(-1),
        })
    }
}

#[cfg(target_os = "linux")]
fn watch(child: &Child) -> Option<OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open};
    pidfd_open(Pid::from_child(child), PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn watch(_child: &Child) -> Option<OwnedFd> {
    None
}

/// Looks closer at why the system refused.
fn why(program: &Program, name: &str, source: io::Error) -> SpawnError {
    let command = name.to_owned();
    let directory = program.directory.clone();
    if !directory.is_dir() {
        return SpawnError::NoDirectory { directory };
    }
    let file = directory.join(name);
    let kind = source.kind();
    if kind == io::ErrorKind::NotFound && !name.contains('/') {
        SpawnError::NotOnPath { command }
    } else if kind == io::ErrorKind::NotFound && exists(&file) {
        SpawnError::NoInterpreter { command }
    } else if kind == io::ErrorKind::NotFound {
        SpawnError::NoFile { command, directory }
    } else if kind == io::ErrorKind::PermissionDenied {
        SpawnError::NotExecutable { command }
    } else if kind == io::ErrorKind::ArgumentListTooLong {
        SpawnError::TooLong { command }
    } else {
        SpawnError::System { command, source }
    }
}

fn exists(file: &Path) -> bool {
    file.symlink_metadata().is_ok()
}
