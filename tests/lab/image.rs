//! The Odoo image: builds for every version and target, keeps what Odoo brought, and gives no secret away.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::world::{odoo_base_image, odoo_image, postgres_image};

const TOKEN: &str = "ghs_CANARYcanaryCANARYcanary0123456789AB";
/// `x-access-token:TOKEN` in base64, as it travels in a header.
const TOKEN_IN_A_HEADER: &str = "eC1hY2Nlc3MtdG9rZW46Z2hzX0NBTkFSWWNhbmFyeUNBTkFSWWNhbmFyeTAxMjM0NTY3ODlBQg==";

#[test]
fn every_version_builds_every_target() {
    for (version, addons_path) in [
        ("18.0", "/volumes/addons,/volumes/enterprise,/odoo/addons"),
        ("19.0", "/opt/project/addons,/opt/extra_addons,/odoo/addons"),
    ] {
        for target in ["production", "development"] {
            let image = Image::named(&format!("{target}-{version}"));
            succeeds(build(version, target, &image).output().unwrap());

            assert_eq!(image.run("id -un"), "ubuntu");
            assert_eq!(image.run("echo $ODOO_ADDONS_PATH"), addons_path);
            assert_eq!(
                image.run("cat /opt/project/addons/README.md"),
                read("addons/README.md").trim()
            );
            assert_eq!(image.run("cat /volumes/uv.lock"), read("uv.lock").trim());
            assert!(image.run("pg_dump --version").contains(" 17."), "{version} {target}");
            image.run("/venv/bin/python -c 'import pydantic_settings'");
            image.run("touch /volumes/config/x /volumes/data/x /volumes/logs/x");
            assert_eq!(
                image.run("command -v chromium || true").is_empty(),
                target == "production"
            );

            let base = Image {
                name: odoo_image(version),
                ours: false,
            };
            let (before, after) = (base.packages(), image.packages());
            assert!(
                before.is_subset(&after),
                "gone from /venv: {:?}",
                before.difference(&after)
            );
        }
    }
}

#[test]
fn the_token_fetches_private_addons_and_is_in_no_layer_and_no_history() {
    let forge = Forge::with_private_repository("acme/private");
    // The stage that sees the token, and the image that is shipped.
    for target in ["addons", "production"] {
        let image = Image::named(&format!("token-{target}"));
        let built = build("18.0", target, &image)
            .args(["--network", "host"])
            .arg(format!("--secret=id=github_token,src={}", forge.token_file().display()))
            .arg(format!("--build-arg=ODOO_ADDON_HOST={}", forge.url()))
            .arg("--build-arg=ODOO_ADDON_REPOSITORIES=acme/private@18.0")
            .output()
            .unwrap();
        hides_the_token("the build's output", &[&built.stdout[..], &built.stderr[..]].concat());
        succeeds(built);

        assert_eq!(
            image.run("cat /opt/extra_addons/private_module/__manifest__.py"),
            "{'name': 'Private'}"
        );
        assert_eq!(
            image.run("cat /opt/extra_addons/.revisions"),
            format!("{}/acme/private.git 18.0 {}", forge.url(), forge.commit)
        );
        assert_eq!(image.run("find / -xdev -name .git 2>/dev/null || true"), "");
        if target == "production" {
            image.run("/venv/bin/python -c 'import iniconfig'");
        }

        hides_the_token("docker history", &docker(&["history", "--no-trunc", &image.name]));
        hides_the_token("docker inspect", &docker(&["inspect", &image.name]));
        let layers = image.saved_files();
        assert!(layers.len() > 3, "a saved image is a manifest, a config and layers");
        for (name, bytes) in layers {
            hides_the_token(&name, &bytes);
        }
    }
}

#[test]
fn a_repository_that_cannot_be_fetched_names_itself() {
    let forge = Forge::with_private_repository("acme/private");
    let built = build("18.0", "addons", &Image::named("no-token"))
        .args(["--network", "host"])
        .arg(format!("--build-arg=ODOO_ADDON_HOST={}", forge.url()))
        .arg("--build-arg=ODOO_ADDON_REPOSITORIES=acme/private@18.0")
        .output()
        .unwrap();
    assert!(!built.status.success());
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(
        said.contains("acme/private@18.0: '18.0' could not be fetched"),
        "{said}"
    );
    assert!(said.contains("no token was given"), "{said}");
}

#[test]
fn the_token_is_shown_to_no_other_host() {
    let forge = Forge::with_private_repository("acme/private");
    let other_name = forge.url().replace("127.0.0.1", "localhost");
    let built = build("18.0", "addons", &Image::named("other-host"))
        .args(["--network", "host"])
        .arg(format!("--secret=id=github_token,src={}", forge.token_file().display()))
        .arg(format!("--build-arg=ODOO_ADDON_HOST={}", forge.url()))
        .arg(format!(
            "--build-arg=ODOO_ADDON_REPOSITORIES={other_name}/acme/private.git@18.0"
        ))
        .output()
        .unwrap();
    assert!(
        !built.status.success(),
        "the repository is private, and its host was not to get the token"
    );
    let seen = forge.requests.lock().unwrap().join("\n");
    assert!(seen.contains("localhost"), "the build asked the other host: {seen}");
    hides_the_token("the requests", seen.as_bytes());
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn build(version: &str, target: &str, image: &Image) -> Command {
    let mut command = Command::new("docker");
    command
        .current_dir(root())
        .args([
            "buildx",
            "build",
            "--load",
            "--progress",
            "plain",
            "--file",
            "docker/Dockerfile",
        ])
        .args(["--target", target, "--tag", &image.name])
        .arg(format!("--build-arg=ODOO_BASE_IMAGE={}", odoo_base_image()))
        .arg(format!("--build-arg=POSTGRES_IMAGE={}", postgres_image()))
        .arg(format!("--build-arg=ODOO_VERSION={version}"))
        // The machine that runs the tests may sit behind a proxy that inspects TLS; the build trusts what the machine trusts.
        .arg("--secret=id=ca_certificates,src=/etc/ssl/certs/ca-certificates.crt")
        .arg(".");
    command
}

fn docker(arguments: &[&str]) -> Vec<u8> {
    succeeds(Command::new("docker").args(arguments).output().unwrap())
}

#[track_caller]
fn succeeds(output: Output) -> Vec<u8> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[track_caller]
fn hides_the_token(place: &str, bytes: &[u8]) {
    let mut grep = Command::new("grep")
        .args([
            "--quiet",
            "--text",
            "--fixed-strings",
            "-e",
            TOKEN,
            "-e",
            TOKEN_IN_A_HEADER,
        ])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // Once grep has found something it reads no further; its exit status says so.
    let _ = grep.stdin.take().unwrap().write_all(bytes);
    assert_eq!(grep.wait().unwrap().code(), Some(1), "the token stands in {place}");
}

/// An image of this test; what was built goes with the test, the base image stays.
struct Image {
    name: String,
    ours: bool,
}

impl Image {
    fn named(tag: &str) -> Self {
        Self {
            name: format!("opw-task-test/image:{tag}"),
            ours: true,
        }
    }

    fn run(&self, script: &str) -> String {
        let output = docker(&[
            "run",
            "--rm",
            "--network",
            "none",
            "--entrypoint",
            "bash",
            &self.name,
            "-euc",
            script,
        ]);
        String::from_utf8(output).unwrap().trim().to_owned()
    }

    fn packages(&self) -> BTreeSet<String> {
        let list = "from importlib.metadata import distributions as d; print(*{x.name for x in d()}, sep='\\n')";
        self.run(&format!("/venv/bin/python -c \"{list}\""))
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Every file of `docker save`, layers unpacked from gzip where this Docker packs them.
    fn saved_files(&self) -> Vec<(String, Vec<u8>)> {
        let folder = tempfile::tempdir().unwrap();
        let tar = folder.path().join("image.tar");
        docker(&["save", "--output", tar.to_str().unwrap(), &self.name]);
        let unpacked = folder.path().join("unpacked");
        fs::create_dir(&unpacked).unwrap();
        succeeds(
            Command::new("tar")
                .arg("-xf")
                .arg(&tar)
                .arg("-C")
                .arg(&unpacked)
                .output()
                .unwrap(),
        );

        let mut files = Vec::new();
        let mut folders = vec![unpacked];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.display().to_string(), contents(&path)));
                }
            }
        }
        files
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if self.ours {
            let _ = Command::new("docker")
                .args(["image", "rm", "--force", &self.name])
                .output();
        }
    }
}

fn contents(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return succeeds(Command::new("gzip").arg("-dc").arg(path).output().unwrap());
    }
    bytes
}

/// A git server on this machine that, like GitHub, shows a private repository only to those who have the token.
struct Forge {
    folder: tempfile::TempDir,
    port: u16,
    commit: String,
    /// The head of each request, as it came.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Forge {
    fn with_private_repository(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let work = folder.path().join("work");
        fs::create_dir_all(work.join("private_module")).unwrap();
        fs::write(work.join("private_module/__manifest__.py"), "{'name': 'Private'}\n").unwrap();
        fs::write(work.join("requirements.txt"), "iniconfig==2.1.0\n").unwrap();
        let git = |arguments: &[&str]| {
            let author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"];
            let output = Command::new("git")
                .arg("-C")
                .arg(&work)
                .args(author)
                .args(arguments)
                .output()
                .unwrap();
            String::from_utf8(succeeds(output)).unwrap().trim().to_owned()
        };
        git(&["init", "--quiet", "--initial-branch", "18.0"]);
        git(&["add", "."]);
        git(&["commit", "--quiet", "--message", "A private module"]);
        let commit = git(&["rev-parse", "HEAD"]);
        let bare = folder.path().join("repositories").join(format!("{name}.git"));
        git(&["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
        fs::write(folder.path().join("token"), format!("{TOKEN}\n")).unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, repositories) = (Arc::clone(&requests), folder.path().join("repositories"));
        // Ends with the test's process.
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (seen, repositories) = (Arc::clone(&seen), repositories.clone());
                thread::spawn(move || answer(&connection, &repositories, &seen));
            }
        });
        Self {
            folder,
            port,
            commit,
            requests,
        }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn token_file(&self) -> PathBuf {
        self.folder.path().join("token")
    }
}

/// One request, passed on to `git http-backend` by the rules of CGI.
fn answer(mut connection: &TcpStream, repositories: &Path, seen: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    while reader.read_line(&mut head).unwrap_or(0) > 2 {
        if head.ends_with("\r\n\r\n") {
            break;
        }
    }
    let header = |name: &str| {
        let found = head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        });
        found.unwrap_or_default()
    };
    seen.lock().unwrap().push(head.clone());

    let response = if header("Authorization") == format!("Basic {TOKEN_IN_A_HEADER}") {
        let mut body = vec![0; header("Content-Length").parse().unwrap_or(0)];
        reader.read_exact(&mut body).unwrap();
        let mut words = head.split_whitespace();
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut backend = Command::new("git")
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", repositories)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("REQUEST_METHOD", method)
            .env("PATH_INFO", path)
            .env("QUERY_STRING", query)
            .env("CONTENT_TYPE", header("Content-Type"))
            .env("CONTENT_LENGTH", body.len().to_string())
            .env("HTTP_CONTENT_ENCODING", header("Content-Encoding"))
            .env("HTTP_GIT_PROTOCOL", header("Git-Protocol"))
            .env("GIT_PROTOCOL", header("Git-Protocol"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        backend.stdin.take().unwrap().write_all(&body).unwrap();
        [
            &b"HTTP/1.1 200 OK\r\nConnection: close\r\n"[..],
            &backend.wait_with_output().unwrap().stdout,
        ]
        .concat()
    } else {
        let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"test\"\r\n";
        format!("{refusal}Content-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
    };
    connection.write_all(&response).unwrap();
}
