//! What can be wrong with a corpus, and where.

use std::path::PathBuf;

use model::ModelError;
use store::StoreError;

/// The result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, CorpusError>;

/// A corpus that cannot be made, read, written or tokenised.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A line of a JSONL file is not what it should be.
    #[error("{}:{line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it, and what is expected.
        problem: String,
    },
    /// A file has no rows.
    #[error("{}: the file has no rows", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Rows and what says where they came from do not belong together.
    #[error("{} has {rows} rows but {} has {lines} lines; they must be of one corpus", rows_path.display(), path.display())]
    Unequal {
        /// The file of the rows.
        rows_path: PathBuf,
        /// How many.
        rows: usize,
        /// The file beside it.
        path: PathBuf,
        /// How many lines it has.
        lines: usize,
    },
    /// A folder is not a corpus that this program finished.
    #[error("{}: not a finished corpus", dir.display())]
    Unfinished {
        /// The folder.
        dir: PathBuf,
    },
    /// A folder for something new holds something else.
    #[error("{} is there already, and is not what this command writes", path.display())]
    Taken {
        /// The path.
        path: PathBuf,
    },
    /// A Parquet file cannot be written.
    #[error(transparent)]
    Export(#[from] crate::parquet::ExportError),
    /// A folder's rows are not those that its manifest describes.
    #[error("{}: the rows are not those that {} describes; delete the folder to have it made again", dir.display(), crate::MANIFEST)]
    Damaged {
        /// The folder.
        dir: PathBuf,
    },
    /// A stream shows the preferences of a spec, but there is none.
    #[error("the corpus `{name}` cannot be made: the stream `{stream}` needs a spec")]
    NoSpec {
        /// The corpus.
        name: String,
        /// The stream.
        stream: &'static str,
    },
    /// A row cannot be tokenised by the model.
    #[error("corpus `{name}`, row {row}: {source}")]
    Row {
        /// The corpus.
        name: String,
        /// The row, counted from 1.
        row: usize,
        /// What the model says.
        source: ModelError,
    },
}
