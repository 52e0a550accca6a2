//! The password of Odoo's database manager, where nobody set one: Odoo's own default is `admin`.

use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// Odoo's option `admin_passwd`. The administrator's own password is `ODOO_ADMIN_PASSWORD`.
pub(super) const MASTER_PASSWORD: &str = "ODOO_ADMIN_PASSWD";

/// Returns a password of 64 hexadecimal digits, the same each time for the same stack.
///
/// It follows from the database's password, so that it need be kept nowhere, and every machine that brings the stack up
/// comes to the same one: another would make its containers anew. Who knows the database's password needs none for the
/// manager. It cannot be guessed if that one cannot; and the manager itself is off.
pub(super) fn master_password(project: &str, database_password: &Secret) -> String {
    let mut digest = Sha256::new();
    for part in ["opw-task admin_passwd", project, database_password.expose()] {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_stacks_own() {
        let made = |project, password| master_password(project, &Secret::new(password));
        assert_eq!(made("a", "x"), made("a", "x"));
        assert_eq!(made("a", "x").len(), 64);
        for other in [made("b", "x"), made("a", "y"), made("ax", "")] {
            assert_ne!(made("a", "x"), other);
        }
    }
}
