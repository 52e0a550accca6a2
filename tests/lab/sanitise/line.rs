//! A line to the tests' server that breaks at a chosen moment.
//!
//! It counts the statements that go through it. The moment is a statement, not a time: whatever came before it has been
//! sent, and nothing from it on has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::sanitise::server;

/// What happens when a statement comes to the line.
pub(crate) enum Break {
    /// It never breaks.
    Never,
    /// The line is cut before the statement of this number, counted from 0, goes through.
    Before(usize),
    /// The line is cut when this one went through, before its answer comes back.
    After(usize),
    /// This one is held until somebody, who is told, says `go`.
    Hold {
        statement: usize,
        held: oneshot::Sender<()>,
        go: oneshot::Receiver<()>,
    },
}

/// A line for one connection.
pub(crate) struct Line {
    pub(crate) port: u16,
    passing: JoinHandle<usize>,
}

impl Line {
    pub(crate) async fn with(moment: Break) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let passing = tokio::spawn(async move {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(server::address()).await.unwrap();
            // Each end waits for the other's small messages.
            client.set_nodelay(true).unwrap();
            server.set_nodelay(true).unwrap();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let mute = Arc::new(AtomicBool::new(false));
            let back = tokio::spawn(answers(from_server, to_client, mute.clone()));
            let seen = statements(from_client, to_server, moment, &mute).await;
            // The server closes its end when its process for this session has ended, and with it what it had begun.
            back.await.unwrap();
            seen
        });
        Self { port, passing }
    }

    /// Waits until both ends are closed and the server's process is gone. Says how many statements went through.
    pub(crate) async fn ended(self) -> usize {
        self.passing.await.unwrap()
    }
}

async fn answers(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, mute: Arc<AtomicBool>) {
    let mut some = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = server.read(&mut some).await {
        if !mute.load(Ordering::Relaxed) {
            // A client that is gone does not keep us from waiting for the server's end.
            let _ = client.write_all(&some[..length]).await;
        }
    }
}

/// Passes messages on until the moment comes or the client goes.
async fn statements(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    mut moment: Break,
    mute: &AtomicBool,
) -> usize {
    let Ok(begin) = message(&mut client, 0).await else {
        return 0;
    };
    server.write_all(&begin).await.unwrap();
    let mut seen = 0;
    while let Ok(sent) = message(&mut client, 1).await {
        // A simple query, or the execution of a prepared one.
        let statement = matches!(sent[0], b'Q' | b'E');
        if statement {
            match moment {
                Break::Before(at) if at == seen => return seen,
                Break::After(at) if at == seen => mute.store(true, Ordering::Relaxed),
                Break::Hold { statement, held, go } if statement == seen => {
                    held.send(()).unwrap();
                    let _ = go.await;
                    moment = Break::Never;
                }
                other => moment = other,
            }
        }
        if server.write_all(&sent).await.is_err() {
            return seen;
        }
        if statement {
            seen += 1;
            if matches!(moment, Break::After(at) if at + 1 == seen) {
                return seen;
            }
        }
    }
    seen
}

/// One message: a type of so many bytes, a length that counts itself, and the rest.
async fn message(client: &mut OwnedReadHalf, kind: usize) -> std::io::Result<Vec<u8>> {
    let mut whole = vec![0; kind + 4];
    client.read_exact(&mut whole).await?;
    let length = u32::from_be_bytes(whole[kind..].try_into().unwrap());
    whole.resize(kind + usize::try_from(length).unwrap(), 0);
    client.read_exact(&mut whole[kind + 4..]).await?;
    Ok(whole)
}
