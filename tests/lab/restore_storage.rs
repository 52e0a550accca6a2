//! `restore` where production keeps files in a bucket: nothing that the copy does reaches them.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::world::{Plan, Upstream, docker};

const KEY: &str = "PRODKEYID0123456789";
const SECRET: &str = "CANARY-secret-of-the-bucket";

/// An object store: it forgets a file for whoever has the key.
struct Bucket {
    address: String,
    files: Arc<Mutex<BTreeSet<String>>>,
    ends: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
}

impl Bucket {
    fn with(files: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let files = Arc::new(Mutex::new(files.iter().map(|file| (*file).to_owned()).collect()));
        let ends = Arc::new(AtomicBool::new(false));
        let (held, ending) = (Arc::clone(&files), Arc::clone(&ends));
        let server = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ending.load(Ordering::SeqCst) {
                    return;
                }
                serve(stream.unwrap(), &held);
            }
        });
        Self {
            address,
            files,
            ends,
            server: Some(server),
        }
    }

    fn files(&self) -> Vec<String> {
        self.files.lock().unwrap().iter().cloned().collect()
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(&self.address));
        if let Some(server) = self.server.take() {
            server.join().unwrap();
        }
    }
}

fn serve(mut stream: TcpStream, files: &Mutex<BTreeSet<String>>) {
    let head: Vec<String> = BufReader::new(&stream)
        .lines()
        .map(Result::unwrap)
        .take_while(|line| !line.is_empty())
        .collect();
    let knows_the_key = head.contains(&format!("Authorization: {KEY}:{SECRET}"));
    let path = head[0]
        .strip_prefix("DELETE /prod/")
        .and_then(|rest| rest.split(' ').next());
    let status = match path {
        Some(path) if knows_the_key && files.lock().unwrap().remove(path) => "204 No Content",
        Some(_) if knows_the_key => "404 Not Found",
        _ => "403 Forbidden",
    };
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n\r\n").unwrap();
}

/// Three paths of which the stand-in for Odoo takes no notice. Unlike Odoo it wants to see the files of some attachments, and
/// looks for them in the filestore, in this order.
fn paths(upstream: &Upstream) -> Vec<String> {
    for number in 0..5 {
        let name = upstream.add_file(&format!("one more {number}"));
        upstream.sql(&format!(
            "INSERT INTO ir_attachment (name, type, store_fname) VALUES ('more', 'binary', '{name}')"
        ));
    }
    let last = "SELECT path FROM (SELECT 'ab/' || n AS path FROM generate_series(1, 5000) n) AS paths
                ORDER BY md5('s3prod://' || path) DESC LIMIT 3";
    upstream.sql(last).lines().map(str::to_owned).collect()
}

/// OCA's tables, as `fs_storage` and `fs_attachment` make them, and three attachments in the bucket, one of them a key.
fn production(bucket: &Bucket, [invoice, login, photo]: [&str; 3]) -> String {
    format!(
        r#"
CREATE TABLE fs_storage (
  id serial PRIMARY KEY, name varchar NOT NULL, code varchar NOT NULL UNIQUE, protocol varchar NOT NULL, options text,
  directory_path varchar, eval_options_from_env boolean, autovacuum_gc boolean, use_as_default_for_attachments boolean,
  force_db_for_default_attachment_rules text, base_url varchar, base_url_for_files varchar);
INSERT INTO fs_storage (name, code, protocol, options, directory_path, autovacuum_gc, use_as_default_for_attachments, base_url)
VALUES ('Production', 's3prod', 's3', '{{"endpoint_url": "http://{}", "key": "{KEY}", "secret": "{SECRET}"}}', 'prod', true, true,
        'https://files.shop.example');
CREATE TABLE fs_file_gc (id serial PRIMARY KEY, store_fname varchar UNIQUE, fs_storage_code varchar, create_date timestamp);
INSERT INTO ir_attachment (name, type, store_fname) VALUES
  ('invoice.pdf', 'binary', 's3prod://{invoice}'), ('partner-login.pem', 'binary', 's3prod://{login}'),
  ('photo.png', 'binary', 's3prod://{photo}');
INSERT INTO fs_file_gc (store_fname, fs_storage_code, create_date)
SELECT store_fname, 's3prod', '2026-01-01' FROM ir_attachment WHERE store_fname LIKE 's3prod://%';
INSERT INTO fs_file_gc (store_fname, fs_storage_code, create_date) VALUES ('s3prod://zz/old', 's3prod', '2026-01-01');
"#,
        bucket.address
    )
}

/// What a vacuum of `fs_attachment` does: files that are noted and that no attachment names go, from where the storage of
/// their code is, with its key.
fn vacuum(sql: impl Fn(&str) -> String) {
    let rows = sql(
        "SELECT s.protocol, g.store_fname, coalesce(s.directory_path, ''), coalesce(s.options, '{}')
         FROM fs_file_gc g JOIN fs_storage s ON s.code = g.fs_storage_code AND s.autovacuum_gc
         WHERE NOT EXISTS (SELECT FROM ir_attachment a WHERE a.store_fname = g.store_fname)",
    );
    for row in rows.lines().filter(|row| row.starts_with("s3|")) {
        let cells: Vec<&str> = row.splitn(4, '|').collect();
        let path = cells[1].split_once("://").unwrap().1;
        let options: serde_json::Value = serde_json::from_str(cells[3]).unwrap();
        let option = |name: &str| options[name].as_str().unwrap_or_default().to_owned();
        let Ok(mut stream) = TcpStream::connect(option("endpoint_url").trim_start_matches("http://")) else {
            continue;
        };
        let (key, secret) = (option("key"), option("secret"));
        let request = format!(
            "DELETE /{}/{path} HTTP/1.1\r\nAuthorization: {key}:{secret}\r\n\r\n",
            cells[2]
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
    }
}

#[test]
fn the_copy_s_vacuum_deletes_nothing_of_production_s() {
    let upstream = Upstream::own("storage");
    let paths = paths(&upstream);
    let [invoice, login, photo] = [&paths[0], &paths[1], &paths[2]].map(String::as_str);
    let bucket = Bucket::with(&[invoice, login, photo, "zz/old"]);
    upstream.sql(&production(&bucket, [invoice, login, photo]));
    let shop = Plan::named("storage").upstream(&upstream).make();

    // Without a word of the owner's it does not go live.
    shop.run(&["restore", "shop"]).code(3).says(&[
        "ir_attachment.s3prod://: 2 rows, kept outside of the filestore: left",
        "the copy is PARTIAL",
        "[[sanitise.allow]]",
    ]);
    assert!(!shop.databases().contains(&"shop".to_owned()) || shop.sql("SELECT to_regclass('fs_storage')").is_empty());

    let allowing = "[[stacks.shop.sanitise.allow]]\ntable = 'ir_attachment'\ncolumn = 's3prod://'\n\
                    reason = 'Pictures are of no use here'\n\n[stacks.shop]";
    shop.rewrite_manifest("[stacks.shop]", allowing);
    shop.does(&["restore", "shop", "--verbose"])
        .says(&["allowed, Pictures are of no use here"]);
    shop.serves();

    let all = bucket.files();
    assert_eq!(all.len(), 4);
    vacuum(|sql| shop.sql(sql));
    assert_eq!(bucket.files(), all, "after the copy's vacuum");
    // What people delete in the copy is noted as Odoo would note it.
    shop.sql(
        "WITH gone AS (DELETE FROM ir_attachment WHERE store_fname LIKE 's3prod://%' RETURNING store_fname)
         INSERT INTO fs_file_gc (store_fname, fs_storage_code, create_date) SELECT store_fname, 's3prod', now() FROM gone",
    );
    assert_eq!(shop.sql("SELECT count(*) FROM fs_file_gc"), "2");
    shop.sql("UPDATE fs_storage SET autovacuum_gc = true");
    vacuum(|sql| shop.sql(sql));
    assert_eq!(bucket.files(), all, "after a deletion in the copy");

    // Neither address nor key are in it; what it keeps in the storage itself is its own.
    let database = shop.container("database").unwrap();
    let dump = docker(&["exec", &database, "pg_dump", "-U", "odoo", "shop"]);
    for word in [KEY, SECRET, bucket.address.as_str(), "files.shop.example"] {
        assert!(!dump.contains(word), "{word}");
    }
    shop.sql(
        "INSERT INTO ir_attachment (name, type, store_fname, create_date)
         VALUES ('own.pdf', 'binary', 's3prod://own', now() AT TIME ZONE 'UTC' + interval '1 minute')",
    );
    shop.does(&["audit", "shop"]);

    // The same vacuum in production deletes what is noted there and not named: it is no vacuum that does nothing.
    vacuum(|sql| upstream.sql(sql));
    assert_eq!(bucket.files(), all[..3]);
    upstream.drop();
}
