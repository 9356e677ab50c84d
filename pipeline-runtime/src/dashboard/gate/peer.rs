//! The user behind a connection: loopback does not imply the same user.

use std::net::SocketAddr;

/// The client of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// False if the system reports another user of this machine.
    pub(crate) is_admitted: bool,
}

impl Peer {
    /// Returns the client of a connection.
    pub(crate) fn of(peer: SocketAddr, here: SocketAddr) -> Self {
        let is_admitted = !peer.ip().is_loopback() || user_of(peer, here).is_none_or(|user| user == 0 || user == this_user());
        Self { is_admitted }
    }
}

/// Returns the user whose socket is connected from `peer` to `here`, if the system reports it.
#[cfg(target_os = "linux")]
fn user_of(peer: SocketAddr, here: SocketAddr) -> Option<u32> {
    let table = if peer.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    user_in(&std::fs::read_to_string(table).ok()?, peer, here)
}

#[cfg(not(target_os = "linux"))]
fn user_of(_: SocketAddr, _: SocketAddr) -> Option<u32> {
    None
}

#[cfg(unix)]
fn this_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn this_user() -> u32 {
    0
}

/// Returns the user of a row in the kernel's table of sockets: the columns are a number, the local and the remote address, the
/// state, two queues, a timer, retransmissions and the user (`proc_net_tcp.rst` of Linux).
fn user_in(table: &str, local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    let (local, remote) = (kernel_format(local), kernel_format(remote));
    table.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let is_it = columns.get(1) == Some(&&*local) && columns.get(2) == Some(&&*remote);
        columns.get(7).filter(|_| is_it)?.parse().ok()
    })
}

/// Formats an address as in the table: words in the machine's byte order, in hexadecimal.
fn kernel_format(address: SocketAddr) -> String {
    let word = |bytes: &[u8]| format!("{:08X}", u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let ip = match address.ip() {
        std::net::IpAddr::V4(ip) => word(&ip.octets()),
        std::net::IpAddr::V6(ip) => ip.octets().chunks(4).map(word).collect(),
    };
    format!("{ip}:{:04X}", address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn the_user_stands_in_the_row_of_both_addresses() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:1CCD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n   \
                     1: 0100007F:A1B2 0100007F:1CCD 01 00000000:00000000 00:00000000 00000000  1001        0 2 1 0 20 4 30 10 -1\n";
        let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!(user_in(table, address(0xA1B2), address(0x1CCD)), Some(1001));
        assert_eq!(user_in(table, address(0x1CCD), address(0xA1B2)), None);
        let v6: SocketAddr = "[::1]:80".parse().unwrap();
        assert_eq!(kernel_format(v6), "00000000000000000000000001000000:0050");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_admitted() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (peer, here) = (client.local_addr().unwrap(), listener.local_addr().unwrap());
        assert_eq!(user_of(peer, here), Some(this_user()));
        assert_eq!(Peer::of(peer, here), Peer { is_admitted: true });
    }
}
