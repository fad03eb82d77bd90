//! The lines of a body that is too large to be held whole: the results of a batch.

use std::time::Duration;

use tokio::time::timeout;

use crate::transport::{Broken, broken};

/// The longest line.
const LONGEST: usize = 32 << 20;

pub(crate) struct Lines {
    response: reqwest::Response,
    buffer: Vec<u8>,
    /// Bytes of the buffer that have no line end.
    searched: usize,
    patience: Duration,
    ended: bool,
}

impl Lines {
    /// `patience` is for each piece.
    pub(crate) fn new(response: reqwest::Response, patience: Duration) -> Lines {
        Lines { response, buffer: Vec::new(), searched: 0, patience, ended: false }
    }

    /// The next line, without its end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        loop {
            if let Some(end) = self.buffer[self.searched..].iter().position(|&byte| byte == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=self.searched + end).collect();
                self.searched = 0;
                line.pop();
                return Ok(Some(line));
            }
            self.searched = self.buffer.len();
            if self.ended {
                self.searched = 0;
                let rest = std::mem::take(&mut self.buffer);
                return Ok((!rest.is_empty()).then_some(rest));
            }
            if self.buffer.len() > LONGEST {
                return Err(Broken::TooLarge);
            }
            match timeout(self.patience, self.response.chunk()).await {
                Err(_) => return Err(Broken::Timeout),
                Ok(piece) => match piece.map_err(broken)? {
                    Some(piece) => self.buffer.extend_from_slice(&piece),
                    None => self.ended = true,
                },
            }
        }
    }
}
