//! The header page of a spool: who writes, since when, and how far the disk surely has it.
//!
//! `magic 8 | format u32 | length u32 | crc32 u32 | description length u32 | durable u64 | its
//! complement u64`, then the description as MessagePack; the page is [`HEADER_PAGE`] bytes.
//! Invariant: the durable offset that is read was written; a torn one reads as none.

use std::path::Path;

use serde::{Deserialize, Serialize};
use trialbook_model::id::WriterUid;
use trialbook_model::time::Timestamp;

use crate::error::SpoolError;
use crate::files::Identity;

/// Bytes of the header page; frames start behind it.
pub(crate) const HEADER_PAGE: u64 = 4096;
/// The format that this version writes. Format 0 may still change.
pub(crate) const FORMAT: u32 = 0;
/// What a spool begins with.
pub(crate) const MAGIC: [u8; 8] = *b"tbspool\n";
/// Where the durable offset and its complement stand.
pub(crate) const DURABLE_AT: u64 = 24;
const DESCRIPTION_AT: usize = 64;

/// Who writes a spool.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Header {
    /// The lineage: all files of one writer have it.
    pub writer: WriterUid,
    /// Which file of the lineage, from 0.
    #[serde(default)]
    pub file: u32,
    /// Sequence number of its first record.
    pub first_seq: u64,
    /// When the file was made.
    pub created: Timestamp,
    /// User, token or host that records are written for.
    #[serde(default)]
    pub actor: String,
    /// The machine.
    #[serde(default)]
    pub host: String,
    /// The start of the system; empty where unknown.
    #[serde(default)]
    pub boot: String,
    /// The process.
    #[serde(default)]
    pub pid: u32,
    /// Its process-number namespace; 0 where unknown.
    #[serde(default)]
    pub pid_namespace: u64,
    /// When the process started; 0 where unknown.
    #[serde(default)]
    pub started: u64,
}

impl Header {
    /// The process that writes.
    pub fn identity(&self) -> Identity {
        Identity {
            host: self.host.clone(),
            boot: self.boot.clone(),
            pid: self.pid,
            pid_namespace: self.pid_namespace,
            started: self.started,
        }
    }

    /// Its description as bytes.
    pub(crate) fn describe(&self) -> Result<Vec<u8>, SpoolError> {
        rmp_serde::to_vec_named(self).map_err(SpoolError::Encode)
    }

    /// Reads a description.
    pub(crate) fn of_description(bytes: &[u8]) -> Option<Self> {
        rmp_serde::from_slice(bytes).ok()
    }
}

/// The header page of a new file, with nothing durable yet.
pub(crate) fn page_of(description: &[u8]) -> Result<Vec<u8>, SpoolError> {
    let mut page = vec![0; HEADER_PAGE as usize];
    let Some(room) = page.get_mut(DESCRIPTION_AT..DESCRIPTION_AT + description.len()) else {
        return Err(SpoolError::HeaderTooLong {
            bytes: description.len(),
        });
    };
    room.copy_from_slice(description);
    page[..8].copy_from_slice(&MAGIC);
    page[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    page[12..16].copy_from_slice(&(HEADER_PAGE as u32).to_le_bytes());
    page[20..24].copy_from_slice(&(description.len() as u32).to_le_bytes());
    let check = check(&page, description);
    page[16..20].copy_from_slice(&check.to_le_bytes());
    page[24..40].copy_from_slice(&durable_words(HEADER_PAGE));
    Ok(page)
}

/// The check of what never changes in a page: magic, format, lengths and description. Where these stand
/// is the same in all formats to come.
pub(crate) fn check(page: &[u8], description: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&page[..16]);
    hasher.update(&page[20..24]);
    hasher.update(description);
    hasher.finalize()
}

/// A durable offset as it stands in the page.
pub(crate) fn durable_words(offset: u64) -> [u8; 16] {
    let mut words = [0; 16];
    words[..8].copy_from_slice(&offset.to_le_bytes());
    words[8..].copy_from_slice(&(!offset).to_le_bytes());
    words
}

/// What a header page says; the header is `None` where it is damaged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page {
    pub(crate) header: Option<Header>,
    /// How far the disk surely has the file; 0 where that is not known.
    pub(crate) durable: u64,
}

/// Reads a header page.
pub(crate) fn read_page(path: &Path, page: &[u8]) -> Result<Page, SpoolError> {
    let word = |at: usize| {
        let bytes = page.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    if page.len() < HEADER_PAGE as usize {
        return Err(SpoolError::NotASpool {
            path: path.to_owned(),
        });
    }
    let description = word(20)
        .and_then(|len| page.get(DESCRIPTION_AT..DESCRIPTION_AT.checked_add(len as usize)?))
        .filter(|description| {
            page.starts_with(&MAGIC) && word(16) == Some(check(page, description))
        });
    let version = word(8).unwrap_or(0);
    if description.is_some() && version > FORMAT {
        return Err(SpoolError::NewerFormat {
            path: path.to_owned(),
            version,
        });
    }
    Ok(Page {
        header: description.and_then(Header::of_description),
        durable: durable_of(page).unwrap_or(0),
    })
}

fn durable_of(page: &[u8]) -> Option<u64> {
    let at = DURABLE_AT as usize;
    let offset = u64::from_le_bytes(page.get(at..at + 8)?.try_into().ok()?);
    let complement = u64::from_le_bytes(page.get(at + 8..at + 16)?.try_into().ok()?);
    (offset == !complement).then_some(offset)
}

/// What a file's name says of who writes it, should the file not say it any more.
pub(crate) fn of_name(path: &Path) -> Option<(WriterUid, u32)> {
    let name = path.file_name()?.to_str()?.strip_suffix(".spool")?;
    let (writer, file) = name.split_once('-')?;
    Some((WriterUid(writer.parse().ok()?), file.parse().ok()?))
}

/// The name of a file of a lineage.
pub fn name_of(writer: WriterUid, file: u32) -> String {
    format!("{writer}-{file:06}.spool")
}
