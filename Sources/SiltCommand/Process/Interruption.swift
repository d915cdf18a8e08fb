internal import Workers

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Turns Ctrl-C and its kin into a request to stop; the second one ends the process at once.
enum Interruption {
    /// What long work looks at.
    static let cancellation = Cancellation()

    static func install() {
        _ = cancellation
        for number in [SIGINT, SIGTERM, SIGHUP] {
            _ = signal(number) { number in
                Interruption.cancellation.request()
                _ = signal(number, SIG_DFL)
            }
        }
        // Errors of write calls say more than these signals.
        for number in [SIGPIPE, SIGXFSZ] { _ = signal(number, SIG_IGN) }
    }
}
