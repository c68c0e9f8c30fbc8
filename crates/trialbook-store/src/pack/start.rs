//! How a run started, as it stands in its row.

use trialbook_model::id::{ExperimentUid, RunUid, Uid};
use trialbook_model::record::{LinkKind, StartRun};
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;
use trialbook_spool::codec::CodecError;
use trialbook_spool::codec::bytes::{Reader, put_bytes, put_signed, put_varint};

use super::annotations::{put_option, read_option};

const PART: &str = "the start of a run";

/// Appends it.
pub(super) fn put_start(start: &StartRun, out: &mut Vec<u8>) {
    let StartRun {
        run,
        experiment,
        name,
        number,
        variation,
        trial,
        attempt,
        seed,
        run_key,
        links,
        command,
        source,
        started,
        status,
    } = start;
    out.extend_from_slice(&run.0.0);
    out.extend_from_slice(&experiment.0.0);
    put_option(name.as_deref(), out);
    put_option(variation.as_deref(), out);
    put_option(run_key.as_deref(), out);
    put_bytes(out, source.as_bytes());
    let numbers = [number, trial, attempt, seed];
    let present = numbers.iter().enumerate();
    out.push(present.fold(0, |flags, (at, number)| {
        flags | u8::from(number.is_some()) << at
    }));
    for number in numbers.into_iter().flatten() {
        put_varint(out, *number);
    }
    put_varint(out, links.len() as u64);
    for (kind, to) in links {
        out.push(match kind {
            LinkKind::RetryOf => 0,
            LinkKind::Reproduces => 1,
            LinkKind::Parent => 2,
        });
        out.extend_from_slice(&to.0.0);
    }
    put_varint(out, command.len() as u64);
    for argument in command {
        put_bytes(out, argument.as_bytes());
    }
    put_signed(out, started.0);
    let place = RunStatus::ALL.iter().position(|known| known == status);
    out.push(place.expect("ALL holds every status") as u8);
}

/// Reads it.
pub(super) fn read_start(reader: &mut Reader<'_>) -> Result<StartRun, CodecError> {
    let malformed = || CodecError::Malformed { part: PART };
    let mut start = StartRun::of(RunUid(read_uid(reader)?));
    start.experiment = ExperimentUid(read_uid(reader)?);
    start.name = read_option(reader)?;
    start.variation = read_option(reader)?;
    start.run_key = read_option(reader)?;
    reader.text(PART)?.clone_into(&mut start.source);
    let flags = reader.byte(PART)?;
    let numbers = [
        &mut start.number,
        &mut start.trial,
        &mut start.attempt,
        &mut start.seed,
    ];
    for (at, number) in numbers.into_iter().enumerate() {
        if flags >> at & 1 == 1 {
            *number = Some(reader.varint(PART)?);
        }
    }
    for _ in 0..reader.count(reader.left(), PART)? {
        let kind = match reader.byte(PART)? {
            0 => LinkKind::RetryOf,
            1 => LinkKind::Reproduces,
            2 => LinkKind::Parent,
            _ => return Err(malformed()),
        };
        start.links.push((kind, RunUid(read_uid(reader)?)));
    }
    for _ in 0..reader.count(reader.left(), PART)? {
        start.command.push(reader.text(PART)?.to_owned());
    }
    start.started = Timestamp(reader.signed(PART)?);
    let status = RunStatus::ALL.get(usize::from(reader.byte(PART)?));
    start.status = *status.ok_or_else(malformed)?;
    Ok(start)
}

fn read_uid(reader: &mut Reader<'_>) -> Result<Uid, CodecError> {
    let bytes = reader.take(16, PART)?;
    Ok(Uid(bytes.try_into().expect("sixteen bytes were taken")))
}
