//! Tokens that a default makes, and that something compares with what somebody sends: to be renewed and not emptied.

use postgres_protocol::escape::escape_literal;

use super::fragment::Target;

/// What stands in names of tokens and keys that others gave out.
const OF_OTHERS: [&str; 24] = [
    "api",
    "app_",
    "auth_",
    "bearer",
    "client",
    "company_token",
    "consumer",
    "customer",
    "developer",
    "encryption",
    "hmac",
    "licen",
    "maps",
    "merchant",
    "oauth",
    "partner_token",
    "private",
    "public",
    "refresh",
    "secret",
    "security_token",
    "server",
    "signature",
    "site_key",
];

/// Whether a token or key of this name is likely to be one that Odoo made itself, as it makes those of links and kiosks, and that it
/// compares with what somebody sends.
fn names_an_own_token(name: &str) -> bool {
    let name = name.to_lowercase();
    (name.contains("token") || name.ends_with("key")) && !OF_OTHERS.iter().any(|word| name.contains(word))
}

/// The looks of tokens that are made at random: a UUID, its digits, and what Python's `secrets.token_urlsafe` makes. Regular
/// expressions of PostgreSQL.
const MADE: [&str; 4] = [
    "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "^[0-9a-f]{32}$",
    "^[A-Za-z0-9_-]{22}$",
    "^[A-Za-z0-9_-]{43}$",
];

/// Whether a column may hold tokens that are made by a default, and so are to be renewed and not emptied.
pub(super) fn is_renewable(target: &Target<'_>) -> bool {
    target.can_be_renewed() && names_an_own_token(target.name)
}

/// The question whether all values of a column have one of the looks of tokens that are made at random.
pub(super) fn made_alike(target: &Target<'_>) -> String {
    let looks = MADE.map(|pattern| {
        let (column, holds) = (target.quoted(), target.holds());
        format!(
            "bool_and({column} ~ {}) FILTER (WHERE {holds})",
            escape_literal(pattern)
        )
    });
    format!("coalesce({}, false)", looks.join(" OR "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_odoos_own_are_told_from_those_of_others() {
        for name in ["access_token", "attendance_kiosk_key", "invite_token", "share_key"] {
            assert!(names_an_own_token(name), "{name}");
        }
        for name in [
            "api_token",
            "google_gmail_refresh_token",
            "client_key",
            "smtp_pass",
            "webhook_uuid",
            "paypal_client_secret",
        ] {
            assert!(!names_an_own_token(name), "{name}");
        }
    }
}
