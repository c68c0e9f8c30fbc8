//! Deliveries at the desk: what others recorded elsewhere, in its turn among the writes.
//!
//! Not here: what is taken, which the store decides. Invariant: a delivery is answered only when it is on the disk.

use trialbook_model::id::WriterUid;
use trialbook_model::record::Signed;
use trialbook_store::live::{Delivery, Gaps};

use super::{Actor, Desk, DeskError, Scope};

impl Desk {
    /// Takes in what others recorded elsewhere; it is on the disk when this ends.
    pub async fn deliver(
        &self,
        actor: &Actor,
        records: Vec<Signed>,
        gaps: Gaps,
    ) -> Result<Delivery, DeskError> {
        self.ready().await?;
        if actor.scope < Scope::Write {
            return Err(DeskError::Denied);
        }
        // A desk beside another one decides nothing, so it cannot tell what is known already.
        if self.inner.beside.is_some() {
            return Err(DeskError::Held);
        }
        let seat = self.seat()?;
        self.at_desk(seat, move |worker| worker.deliver(&records, gaps))
            .await
    }

    /// Which records of writers are in the book, as ranges of their numbers.
    pub async fn numbers_of(
        &self,
        writers: Vec<WriterUid>,
    ) -> Result<Vec<Vec<(u64, u64)>>, DeskError> {
        self.ready().await?;
        if self.inner.beside.is_some() {
            return Err(DeskError::Held);
        }
        let seat = self.seat()?;
        self.at_desk(seat, move |worker| worker.numbers_of(&writers))
            .await
    }
}
