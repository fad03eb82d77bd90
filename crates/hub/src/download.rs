//! From an id to a folder: what is in the cache is taken, what is not is downloaded, checked, and put there.

use crate::cache::{self, Cache};
use crate::digest;
use crate::wire::{State, Wire, causes};
use crate::{HubError, ModelId, Settings};
use reqwest::StatusCode;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// How far a download is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The file.
    pub file: String,
    /// Bytes that are there.
    pub done: u64,
    /// Bytes that it has.
    pub size: u64,
}

/// Times that a connection may break in one file before it is given up.
const BREAKS: u32 = 5;

/// The folder of a model, downloaded into the hub's cache if it is not there.
///
/// # Errors
/// When it is not there and cannot be downloaded. What has come of it is kept, and the next call goes on from there.
pub fn fetch(
    id: &ModelId,
    settings: &Settings,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<PathBuf, HubError> {
    let cache = Cache::new(settings, id);
    let cached = cache.commit(id.revision());
    let usable = |commit: &&String| match settings.offline {
        true => cache.is_usable(commit),
        false => cache.is_complete(commit),
    };
    if let Some(commit) = cached.as_ref().filter(usable) {
        return Ok(cache.snapshot(commit));
    }
    if settings.offline {
        return Err(HubError::Offline { id: id.to_string(), cache: settings.cache.clone() });
    }
    // On a thread of its own: whoever calls may be in the middle of such a runtime already.
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(HubError::disk("the network"))?;
        runtime.block_on(download(id, settings, &cache, progress))
    };
    let downloaded = std::thread::scope(|scope| scope.spawn(work).join());
    let downloaded = downloaded.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    match (downloaded, cached.filter(|commit| cache.is_usable(commit))) {
        // Nothing is missing that one could not do without.
        (Err(HubError::NoNetwork { .. }), Some(commit)) => Ok(cache.snapshot(&commit)),
        (downloaded, _) => downloaded,
    }
}

async fn download(
    id: &ModelId,
    settings: &Settings,
    cache: &Cache,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<PathBuf, HubError> {
    let wire = Wire::new(settings, id)?;
    let state = wire.state().await?;
    let mut files = wanted(id, &state)?;
    cache.prepare()?;
    let mut get = Getter { wire: &wire, cache, commit: &state.commit, progress };
    if files.contains(&cache::INDEX) {
        get.file(cache::INDEX).await?;
    }
    let index = fs::read(cache.snapshot(&state.commit).join(cache::INDEX)).ok();
    let shards = match index.filter(|_| files.contains(&cache::INDEX)) {
        None => Vec::new(),
        Some(index) => cache::shards(&index).ok_or_else(|| HubError::Unusable {
            id: id.to_string(),
            problem: format!("has a {} that does not name files of weights", cache::INDEX),
        })?,
    };
    files.extend(shards.iter().map(String::as_str));
    for file in files {
        get.file(file).await?;
    }
    for name in cache::OPTIONAL.iter().filter(|name| !state.files.iter().any(|file| file == *name)) {
        cache.set_absent(&state.commit, name)?;
    }
    // Last: whoever looks it up finds all of it.
    cache.set_commit(id.revision(), &state.commit)?;
    Ok(cache.snapshot(&state.commit))
}

/// The files to have, shards excepted; small ones first, so that a model that cannot be used is found out early.
fn wanted(id: &ModelId, state: &State) -> Result<Vec<&'static str>, HubError> {
    let has = |name: &str| state.files.iter().any(|file| file == name);
    let unusable = |problem: &str| HubError::Unusable { id: id.to_string(), problem: problem.into() };
    for name in cache::REQUIRED {
        if !has(name) {
            return Err(unusable(&format!("has no {name}, so it is not a model that can be used here")));
        }
    }
    let weights = match (has(cache::WHOLE), has(cache::INDEX)) {
        (true, _) => cache::WHOLE,
        (false, true) => cache::INDEX,
        (false, false) if state.files.iter().any(|file| file.ends_with(".bin") || file.ends_with(".pth")) => {
            return Err(unusable(
                "has pickled weights only, which are never loaded because a pickle can run any program; look for a \
                 revision or a copy with safetensors",
            ));
        }
        (false, false) => return Err(unusable("has no model.safetensors")),
    };
    let optional = cache::OPTIONAL.into_iter().filter(|name| has(name));
    Ok(cache::REQUIRED.into_iter().chain(optional).chain([weights]).collect())
}

struct Getter<'a> {
    wire: &'a Wire<'a>,
    cache: &'a Cache,
    commit: &'a str,
    progress: &'a mut (dyn FnMut(Progress) + Send),
}

impl Getter<'_> {
    /// Has one file in the cache.
    async fn file(&mut self, name: &str) -> Result<(), HubError> {
        if self.cache.snapshot(self.commit).join(name).is_file() {
            return Ok(());
        }
        let about = self.wire.about(self.commit, name).await?;
        let blob = self.cache.blob(&about.tag);
        let lock = self.cache.lock(&about.tag)?;
        if !blob.is_file() {
            let partial = blob.with_file_name(format!("{}.incomplete", about.tag));
            self.bytes(name, &partial, about.size).await?;
            check(name, &partial, &about.tag, about.size)?;
            fs::rename(&partial, &blob).map_err(HubError::disk(&blob))?;
        }
        drop(lock);
        self.cache.link(self.commit, name, &about.tag)
    }

    /// Fills a partial file up, over as many connections as it takes.
    async fn bytes(&mut self, name: &str, partial: &Path, size: u64) -> Result<(), HubError> {
        let mut file =
            File::options().create(true).append(true).open(partial).map_err(HubError::disk(partial))?;
        let length = |file: &File| file.metadata().map(|about| about.len()).map_err(HubError::disk(partial));
        let mut breaks = 0;
        while length(&file)? < size {
            let before = length(&file)?;
            let broken = self.piece(name, &mut file, partial, size).await?;
            let done = length(&file)?;
            // A connection that brought something may break as often as it likes.
            breaks = if done > before { 1 } else { breaks + 1 };
            if let Some(problem) = broken.filter(|_| breaks >= BREAKS) {
                return Err(HubError::Cut { file: name.to_owned(), done, size, problem });
            }
        }
        file.sync_all().map_err(HubError::disk(partial))
    }

    /// Reads one connection to its end; says how it broke, if it ended early.
    async fn piece(
        &mut self,
        name: &str,
        file: &mut File,
        partial: &Path,
        size: u64,
    ) -> Result<Option<String>, HubError> {
        let from = file.metadata().map_err(HubError::disk(partial))?.len();
        let mut response = self.wire.open(self.commit, name, from).await?;
        let mut done = from;
        if response.status() != StatusCode::PARTIAL_CONTENT && from > 0 {
            // The server begins at the beginning, or says that there is nothing there.
            file.set_len(0).map_err(HubError::disk(partial))?;
            done = 0;
            if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
                return Ok(Some("the server has less than it said".into()));
            }
        }
        loop {
            match response.chunk().await {
                Ok(Some(piece)) => {
                    done += piece.len() as u64;
                    if done > size {
                        // Longer than announced: the check afterwards says so, without reading on forever.
                        let fits = piece.len() - (done - size) as usize;
                        file.write_all(&piece[..fits]).map_err(HubError::disk(partial))?;
                        return Ok(None);
                    }
                    file.write_all(&piece).map_err(HubError::disk(partial))?;
                    (self.progress)(Progress { file: name.to_owned(), done, size });
                }
                Ok(None) if done < size => return Ok(Some("the connection ended".into())),
                Ok(None) => return Ok(None),
                Err(error) => return Ok(Some(causes(&error))),
            }
        }
    }
}

/// Removes a file that is not what the hub says.
fn check(name: &str, partial: &Path, tag: &str, size: u64) -> Result<(), HubError> {
    let length = partial.metadata().map_err(HubError::disk(partial))?.len();
    let what = match length == size {
        false => Some("size"),
        true if digest::matches(partial, tag).map_err(HubError::disk(partial))? => None,
        true => Some(digest::Kind::of(tag).name()),
    };
    match what {
        None => Ok(()),
        Some(what) => {
            fs::remove_file(partial).map_err(HubError::disk(partial))?;
            Err(HubError::Altered { file: name.to_owned(), what })
        }
    }
}
