//! `transformers serve` as a process group that is gone with its handle.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long it may take to import PyTorch and load the model, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(300);

pub struct Served {
    child: Child,
    port: u16,
    model: String,
    dir: TempDir,
}

impl Served {
    /// Starts it on the shipped base; returns when it answers.
    pub fn start() -> Served {
        let python = std::env::var_os("WHYFIRST_PEERS_PYTHON")
            .expect("WHYFIRST_PEERS_PYTHON is not set: it is the path that `cargo xtask peers` prints");
        let program = PathBuf::from(python).with_file_name("transformers");
        let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/lab-base");
        let model = base.canonicalize().unwrap().to_str().unwrap().to_owned();
        let dir = tempfile::tempdir().unwrap();
        let log = File::create(dir.path().join("log")).unwrap();
        // Free a moment ago, and probably still.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(program)
            .args(["serve", &model, "--device", "cpu", "--host", "127.0.0.1", "--log-level", "info"])
            .args(["--port", &port.to_string()])
            .current_dir(dir.path())
            // Nothing is fetched, and nothing of the user's is read or written.
            .env("HF_HUB_OFFLINE", "1")
            .env("HF_HOME", dir.path())
            .env("OMP_NUM_THREADS", "2")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let mut served = Served { child, port, model, dir };
        let start = Instant::now();
        while !served.is_healthy() {
            assert!(served.child.try_wait().unwrap().is_none(), "it ended:\n{}", served.log());
            assert!(start.elapsed() < PATIENCE, "it does not answer:\n{}", served.log());
            std::thread::sleep(Duration::from_millis(200));
        }
        served
    }

    fn is_healthy(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let asked = stream.write_all(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
        let mut answer = String::new();
        asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// The only name that it knows.
    pub fn model(&self) -> &str {
        &self.model
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// How many questions it says it answered.
    pub fn questions(&self) -> usize {
        let answered = |line: &&str| line.contains("POST /v1/chat/completions") && line.contains(" 200");
        self.log().lines().filter(answered).count()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // The whole group: whatever it started goes too.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
    }
}
