//! Odoo's word on its modules, asked again after an update.

use super::*;

#[tokio::test]
async fn modules_that_are_not_installed_are_named_with_their_state() {
    let lab = Lab::serving("lab_modules").await;
    let session = lab.server.connect("lab_modules").await.unwrap();
    session
        .batch_execute(
            "CREATE TABLE ir_module_module (name varchar, state varchar);
             INSERT INTO ir_module_module VALUES
                 ('shop', 'installed'), ('stuck', 'to upgrade'), ('broken', 'uninstallable'), ('other', 'to install')",
        )
        .await
        .unwrap();
    let found = modules_not_installed(&session, &["stuck", "shop", "nowhere", "broken"]).await;
    let state = |state: &str| Some(state.to_owned());
    assert_eq!(
        found.unwrap(),
        [
            ("broken".to_owned(), state("uninstallable")),
            ("nowhere".to_owned(), None),
            ("stuck".to_owned(), state("to upgrade")),
        ]
    );
}
