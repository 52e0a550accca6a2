//! Secrets that no container reads lie in no file that opw-task writes: builds get theirs in compose's environment.

use crate::world::laptop::Laptop;
use crate::world::{Estate, Plan, Sshd, Upstream, docker, odoo_image, words_in_files};

const TOKEN: &str = "ghs_keepoutGithubToken07";
const ADMIN: &str = "keepout-admin-password-02";
const COOLIFY: &str = "keepout-coolify-token-06";

/// `sha256sum` of the token.
fn token_sum() -> String {
    let line = format!("printf %s {TOKEN} | sha256sum | cut -d' ' -f1");
    let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A stack whose image is built, with the token, from a Dockerfile of its own.
fn built(name: &'static str) -> Estate {
    let shop = Plan::named(name)
        .variable("ODOO_DOCKERFILE", "Dockerfile")
        .variable("DEPLOY_COMPOSE_FILES", "more.yaml")
        .make();
    shop.write(
        "Dockerfile",
        &format!(
            "from {} as production\nUSER root\nARG LATER=0\n\
             RUN --mount=type=secret,id=github_token sha256sum < /run/secrets/github_token | cut -d' ' -f1 > /token\nUSER ubuntu\n",
            odoo_image("18.0")
        ),
    );
    // A compose file of the project's own reads another secret.
    shop.write(
        "more.yaml",
        "services: { web: { environment: { NOTE: 'of ${COOLIFY_TOKEN}' } } }",
    );
    let image = format!("DOCKER_IMAGE = \"{}\"", odoo_image("18.0"));
    shop.rewrite_manifest(&image, &format!("DOCKER_IMAGE = \"{}-odoo\"", shop.project));
    shop.rewrite_manifest("COMPOSE_BUILD_TARGET = \"\"", "COMPOSE_BUILD_TARGET = \"production\"");
    shop
}

/// The image was built with the token, a container reads what a compose file asks for, and no file has the rest.
#[track_caller]
fn only_what_is_read_is_kept(shop: &Estate) {
    let web = shop.container("web").unwrap();
    assert_eq!(docker(&["exec", &web, "cat", "/token"]), token_sum());
    assert_eq!(docker(&["exec", &web, "printenv", "NOTE"]), format!("of {COOLIFY}"));
    let env = docker(&["exec", &web, "env"]);
    assert!(!env.contains(TOKEN) && !env.contains(ADMIN), "{env}");
    no_file_has_the_rest(shop);
}

#[track_caller]
fn no_file_has_the_rest(shop: &Estate) {
    let mut found = words_in_files(&shop.path("."), &[TOKEN, ADMIN], &[]);
    found.retain(|(path, ..)| !path.ends_with("secrets.env"));
    assert_eq!(found, []);
    let kept = std::fs::read_to_string(shop.path("state/.compose.env")).unwrap();
    assert!(
        kept.contains(Estate::database_password()) && !kept.contains("keepout-shopify"),
        "{kept}"
    );
}

#[test]
fn a_build_gets_its_token_and_no_file_does() {
    let shop = built("kept");
    let watch = shop.watch();
    shop.does(&["up", "shop", "--build"]);
    let (_, lines) = watch.end();
    assert_eq!(lines, Vec::<String>::new(), "secrets in command lines");
    only_what_is_read_is_kept(&shop);
    // An `up` without a build makes nothing anew for want of the token.
    let id = shop.container("web");
    shop.does(&["up", "shop"]);
    assert_eq!(shop.container("web"), id);
    docker(&["image", "rm", "--force", &format!("{}-odoo", shop.project)]);
}

#[test]
fn a_build_on_another_machine_gets_its_token_and_no_file_there_does() {
    let sshd = Sshd::start();
    let shop = built("keptfar");
    let laptop = Laptop::of(&shop, &sshd);
    let watch = shop.watch();
    laptop.run(&["up", "shop", "--build"]).code(0);
    let (_, lines) = watch.end();
    assert_eq!(lines, Vec::<String>::new(), "secrets in command lines");
    only_what_is_read_is_kept(&shop);
    laptop.run(&["down", "shop"]).code(0);
    docker(&["image", "rm", "--force", &format!("{}-odoo", shop.project)]);
}

#[test]
fn a_restore_leaves_the_administrators_password_in_no_file() {
    let upstream = Upstream::small();
    let shop = Plan::named("keptrestore").upstream(&upstream).make();
    shop.does(&["restore", "shop"]);
    shop.serves();
    no_file_has_the_rest(&shop);
}
