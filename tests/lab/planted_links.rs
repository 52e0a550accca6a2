//! Code in the web container may write to the stack's data. What it plants there leads no file work of ours to the host.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::world::{Estate, Plan, Upstream, docker};

/// A folder of the host that is root's, with a file in it.
struct Outside {
    path: PathBuf,
    before: String,
}

impl Outside {
    fn of(shop: &Estate) -> Self {
        let path = shop.path("outside");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("file"), "root's own").unwrap();
        let mut outside = Self {
            path,
            before: String::new(),
        };
        outside.before = outside.look();
        outside
    }

    fn look(&self) -> String {
        let find = ["-printf", "%P %U:%G %m %y %s %T@ %C@ %n\\n"];
        let found = Command::new("find").arg(&self.path).args(find).output().unwrap();
        let text = fs::read_to_string(self.path.join("file")).unwrap();
        format!("{}{text}", String::from_utf8(found.stdout).unwrap())
    }

    #[track_caller]
    fn is_untouched(&self) {
        assert_eq!(self.look(), self.before);
    }
}

/// Runs a script in the web container as Odoo's user.
fn inside(shop: &Estate, script: &str) {
    docker(&["exec", &shop.container("web").unwrap(), "sh", "-euc", script]);
}

/// The same, for as long as the value lives.
struct Racer {
    child: Child,
    stop: PathBuf,
}

impl Racer {
    fn start(shop: &Estate, step: &str) -> Self {
        let script = format!("while [ ! -e /volumes/logs/stop ]; do {step}; done 2>/dev/null");
        let child = Command::new("docker")
            .args(["exec", &shop.container("web").unwrap(), "sh", "-c", &script])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stop = shop.path("state/logs/stop");
        Self { child, stop }
    }
}

impl Drop for Racer {
    fn drop(&mut self) {
        fs::write(&self.stop, "").unwrap();
        self.child.wait().unwrap();
        fs::remove_file(&self.stop).unwrap();
    }
}

#[test]
fn links_in_the_filestore_lead_no_work_of_roots_to_the_host() {
    let shop = Plan::named("planted").upstream(&Upstream::small()).make();
    let outside = Outside::of(&shop);
    shop.does(&["restore", "shop"]);
    let target = outside.path.to_str().unwrap();

    // Where earlier versions wrote their note and their marks.
    inside(
        &shop,
        &format!(
            "cd /volumes/data/filestore; for name in .shop__retired_opw-task-swap shop/.opw-task-run \
             shop/.opw-task-run.new; do ln -s {target}/file $name; done; ln -s {target} shop__incoming_planted; \
             ln -s {target} shop__retired_planted; ln -s {target} shop/zz; ln -s {target} ../.shop__incoming_planted"
        ),
    );
    shop.does(&["restore", "shop"]);
    outside.is_untouched();
    shop.serves();
    assert_eq!(shop.filestore_names(), ["shop", "shop__previous"]);
    let mode = fs::metadata(shop.path("state/.opw-task")).unwrap();
    assert_eq!((mode.uid(), mode.mode() & 0o777), (0, 0o700));

    // In the place of a folder that is given to Odoo's user.
    inside(
        &shop,
        &format!("cd /volumes/data; mv filestore away; ln -s {target} filestore"),
    );
    // The data would lie elsewhere, which is refused; whoever insists meets the link.
    let state = shop.path("state").to_str().unwrap().to_owned();
    for command in ["up", "restore"] {
        shop.run(&[command, "shop"]).code(3);
        let insisting = [command, "shop", "--take-over", &state];
        shop.run(&insisting).code(1).says(&["link"]);
    }
    outside.is_untouched();
    inside(&shop, "cd /volumes/data; rm filestore; mv away filestore");
    shop.does(&["rollback", "shop"]);
    shop.serves();
    outside.is_untouched();
}

#[test]
fn links_that_come_and_go_win_no_race() {
    let shop = Plan::named("raced").upstream(&Upstream::small()).with_addons().make();
    let outside = Outside::of(&shop);
    shop.does(&["restore", "shop"]);
    let target = outside.path.to_str().unwrap();

    // Whatever a copy could be called, for as long as a restore with an update of modules lasts.
    let race = format!(
        "cd /volumes/data/filestore; for name in shop__incoming_* shop__incoming_*/?? ../.shop__incoming_* \
         ../.opw-task* .opw-task-trial*; do [ -d $name ] && [ ! -L $name ] && mv $name raced && ln -s {target} $name && \
         sleep 0.01 && rm $name && mv raced $name; done"
    );
    let racer = Racer::start(&shop, &race);
    shop.run(&["restore", "shop", "--set", "ODOO_UPDATE_MODULES=lab_shop"]);
    drop(racer);
    outside.is_untouched();

    // The folder that is given to Odoo's user.
    let race = format!(
        "cd /volumes/data; mv filestore raced && ln -s {target} filestore && rm filestore && mv raced filestore"
    );
    let racer = Racer::start(&shop, &race);
    for _ in 0..8 {
        shop.run(&["up", "shop", "--set", "DEPLOY_SERVICES=database"]);
    }
    drop(racer);
    outside.is_untouched();
    let found = fs::symlink_metadata(&outside.path).unwrap();
    assert_eq!((found.uid(), found.gid()), (0, 0));
}
