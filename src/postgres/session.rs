//! One logged-in session.

use std::ops::{Deref, DerefMut};

use tokio::task::AbortHandle;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{Client, Connection, Socket};

use super::last_words;
use super::settings;

/// A session with a server. It ends when the value is dropped, also in the midst of a statement; a transaction that is
/// open then is rolled back.
///
/// Statements go through the driver's [`Client`], to which it dereferences.
pub struct Session {
    client: Client,
    connection: AbortHandle,
}

impl Session {
    /// Begins to drive a new connection, and gives it the settings that its login could not. Notices are read and dropped:
    /// nothing we send raises one that a user needs.
    pub(crate) async fn begin(
        client: Client,
        connection: Connection<Socket, NoTlsStream>,
    ) -> Result<Self, tokio_postgres::Error> {
        // The task ends by itself when the client is dropped or the connection breaks; in the second case every
        // statement of the client fails, which is where the error is told, with what the server said last.
        let connection = tokio::spawn(async move {
            if let Err(error) = connection.await {
                last_words::keep(&error);
            }
        })
        .abort_handle();
        let session = Self { client, connection };
        // If we are killed while the server runs a statement for us, it goes on and keeps our locks until that ends;
        // with this the server looks every half second whether we are still there. PostgreSQL before 14, and servers on
        // systems without the means, refuse the setting: then that wait is the price.
        let checking = "SET client_connection_check_interval = '500ms'";
        let settings = settings::after_login();
        let (_unsupported, set) = tokio::join!(
            session.client.batch_execute(checking),
            session.client.batch_execute(&settings)
        );
        set.map(|()| session)
    }
}

impl Session {
    /// What ends the session from beside, for when somebody else waits for its answers: whatever it was asked fails, and what
    /// it had begun is rolled back.
    pub(crate) fn cut_off(&self) -> AbortHandle {
        self.connection.clone()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Left to itself the driver keeps the socket until the answer to the last statement has come (measured: a
        // rename that waits for a lock went on waiting, with the lock on the live database). A closed socket is what the
        // server looks for.
        self.connection.abort();
    }
}

impl Deref for Session {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("closed", &self.client.is_closed())
            .finish()
    }
}
