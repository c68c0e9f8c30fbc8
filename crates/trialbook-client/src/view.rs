//! A look at a server's book.
//!
//! Invariant: one look is answered by one process of the server: the numbers of runs mean the same in all answers.

use std::cell::RefCell;

use trialbook_model::code::ErrorCode;
use trialbook_store::asking::{Asked, Question, Transport, bytes_of};
use trialbook_store::{BookError, Elsewhere};

use crate::error::ClientError;
use crate::server::Server;

/// A look at a server's book. Each answer is whole and holds everything acknowledged before it was asked for.
pub type RemoteView = Asked<Line>;

/// A look at a server's book.
pub fn view(server: &Server) -> RemoteView {
    Asked::new(Line {
        server: server.clone(),
        instance: RefCell::default(),
    })
}

/// The line to a server.
#[derive(Debug)]
pub struct Line {
    server: Server,
    /// The process that answered first.
    instance: RefCell<Option<String>>,
}

impl Transport for Line {
    fn ask(&self, question: &Question) -> Result<Vec<u8>, BookError> {
        let question = bytes_of(question).map_err(|error| {
            BookError::Elsewhere(Box::new(Elsewhere {
                code: ErrorCode::Internal,
                message: format!("the question cannot be packed: {error}"),
                hint: None,
            }))
        })?;
        let (answer, by) = self.server.ask(&question)?;
        let mut instance = self.instance.borrow_mut();
        match &*instance {
            Some(known) if *known != by => {
                let address = self.server.address().to_string();
                return Err(ClientError::Restarted { address }.into());
            }
            Some(_) => {}
            None => *instance = Some(by),
        }
        Ok(answer)
    }
}
