//! An sshd of a test's own, on a loopback port: this machine as if it were another one.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command as Std, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use opw_task::host::{Host, SshTarget};
use rustix::process::Signal;

use super::machine::{signal, started_by};

/// An sshd that lets in the user who runs the test, with one key.
pub struct Sshd {
    child: Child,
    folder: tempfile::TempDir,
    pub port: u16,
}

impl Sshd {
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// The same with options before the key in `authorized_keys`.
    pub fn start_with(options: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["host_key", "key", "other_key"] {
            let made = Std::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(at(name))
                .status()
                .unwrap();
            assert!(made.success());
        }
        let key = fs::read_to_string(at("key.pub")).unwrap();
        fs::write(at("authorized_keys"), format!("{options} {key}")).unwrap();
        // sshd's folder for its unprivileged half; Debian's service makes it at its start.
        if rustix::process::getuid().is_root() {
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {0}/host_key\nAuthorizedKeysFile {0}/authorized_keys\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nPidFile none\nPermitRootLogin prohibit-password\n",
            folder.path().display()
        );
        fs::write(at("sshd_config"), config).unwrap();
        let log = fs::File::create(at("log")).unwrap();
        let mut child = Std::new("/usr/sbin/sshd");
        child
            .args(["-D", "-e", "-f"])
            .arg(at("sshd_config"))
            .stderr(log)
            .stdin(Stdio::null());
        let sshd = Self {
            child: child.spawn().unwrap(),
            folder,
            port,
        };
        let key = fs::read_to_string(sshd.path("host_key.pub")).unwrap();
        fs::write(sshd.path("known_hosts"), format!("[127.0.0.1]:{port} {key}")).unwrap();
        fs::write(sshd.path("unknown_hosts"), "").unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                Instant::now() < deadline,
                "{}",
                fs::read_to_string(sshd.path("log")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        sshd
    }

    /// The folder of its keys and logs; tests may use it too.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `[hosts.node]` of a manifest: this machine, by ssh.
    pub fn manifest(&self) -> String {
        format!(
            "[hosts.node]\nssh = \"ssh://root@127.0.0.1:{}\"\nidentity = \"{}\"\nknown-hosts = \"{}\"\n",
            self.port,
            self.path("key"),
            self.path("known_hosts")
        )
    }

    /// Ends every connection that stands, at the server's side: what ran there loses its input and output.
    pub fn cut(&self) {
        // The processes of connections descend from the one that listens; what they run is no sshd.
        let own = self.child.id();
        for pid in started_by(own) {
            let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if pid != own && line.starts_with("sshd") {
                signal(pid, Signal::KILL);
            }
        }
    }

    pub fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.folder.path().join(name)).unwrap()
    }

    pub fn target(&self, key: &str, known_hosts: &str) -> SshTarget {
        let target: SshTarget = format!("ssh://127.0.0.1:{}", self.port).parse().unwrap();
        target
            .with_identity(self.path(key))
            .unwrap()
            .with_known_hosts(self.path(known_hosts))
            .unwrap()
    }

    pub fn host(&self) -> Host {
        Host::Ssh(self.target("key", "known_hosts"))
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
