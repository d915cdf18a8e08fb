#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

package import TensorTypes

/// A shell command whose output is read: how models are measured by programs that Silt does not know.
package struct Command: Sendable {
    /// How a command ended.
    package struct Outcome: Sendable {
        /// Its exit code; 128 and the signal's number if a signal ended it.
        package let status: Int
        /// The last 64 KiB of its standard output.
        package let output: [UInt8]
    }

    /// Bytes of output that are kept.
    private static let limit = 1 << 16
    /// Seconds that a command has to end by itself once it was told to.
    private static let grace = 2

    /// What the shell is told.
    package let line: String

    package init(_ line: String) { self.line = line }

    /// `word` as one word of a shell command, whatever is in it.
    package static func quoted(_ word: String) -> String {
        "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// Runs the command with `/bin/sh -c` and waits for its end.
    ///
    /// Its standard error and its environment are this process's; it reads nothing. It has a process group of its own, so
    /// that all that it starts ends with it: by SIGTERM once `isCancelled` says so (asked ten times a second), and what
    /// is left two seconds later by SIGKILL.
    package func run(isCancelled: () -> Bool = { false }) throws(SiltError) -> Outcome {
        do throws(SystemError) {
            try System.check(line)
            return try start(isCancelled)
        } catch {
            throw SiltError(.io, "the command \"\(line)\" cannot be run: \(System.text(of: error.number))")
        }
    }

    private func start(_ isCancelled: () -> Bool) throws(SystemError) -> Outcome {
        var ends: [Int32] = [0, 0]
        try System.retry { unsafe pipe(&ends) }
        let (reading, writing) = (ends[0], ends[1])
        defer { System.close(reading) }
        // The other end is the child's alone: reading ends when it does.
        let spawned = Result { () throws(SystemError) in try spawn(output: writing, closing: reading) }
        System.close(writing)
        let child = try spawned.get()
        var end: ContinuousClock.Instant?
        /// Whether to wait on: not for ever, once the work is cancelled.
        func mayWait() -> Bool {
            if end == nil, isCancelled() {
                end = .now + .seconds(Command.grace)
                _ = kill(-child, SIGTERM)
            }
            return end.map { .now < $0 } ?? true
        }
        let output = Result { () throws(SystemError) in try Command.output(of: reading, mayWait) }
        // The child is not reaped yet, so the group is still its own; who heard the first signal has closed the output.
        if end != nil { _ = kill(-child, SIGKILL) }
        let status = Result { () throws(SystemError) in try Command.status(of: child, mayWait) }
        return Outcome(status: try status.get(), output: try output.get())
    }

    /// The end of what comes out of a pipe until it closes, or nobody waits any more.
    private static func output(of reading: Int32, _ mayWait: () -> Bool) throws(SystemError) -> [UInt8] {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: limit)
        while mayWait() {
            var request = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
            guard try System.retry({ unsafe poll(&request, 1, 100) }) > 0 else { continue }
            let count = try System.retry { unsafe read(reading, &buffer, buffer.count) }
            guard count > 0 else { break }
            output += buffer[0..<count]
            if output.count > 2 * limit { output.removeFirst(output.count - limit) }
        }
        return output.suffix(limit)
    }

    /// How a child ended whose output has; those that go on after that are killed once nobody waits any more.
    private static func status(of child: pid_t, _ mayWait: () -> Bool) throws(SystemError) -> Int {
        var status: Int32 = 0
        var (pause, isKilled) = (useconds_t(500), false)
        while try System.retry({ unsafe waitpid(child, &status, isKilled ? 0 : WNOHANG) }) == 0 {
            if !mayWait() {
                _ = kill(-child, SIGKILL)
                isKilled = true
            } else {
                usleep(pause)
                pause = min(2 * pause, 100_000)
            }
        }
        let signal = Int(status & 0x7F)
        return signal == 0 ? Int(status >> 8 & 0xFF) : 128 + signal
    }

    private func spawn(output: Int32, closing reading: Int32) throws(SystemError) -> pid_t {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = unsafe posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        unsafe posix_spawn_file_actions_addclose(&actions, reading)
        if output != 1 { unsafe posix_spawn_file_actions_addclose(&actions, output) }
        // This program may ignore signals that pipelines of the shell end by.
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in [SIGPIPE, SIGXFSZ] { unsafe sigaddset(&signals, number) }
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var child: pid_t = 0
        let texts: [String] = ["sh", "-c", line]
        let words: [UnsafeMutablePointer<CChar>?] = unsafe texts.map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        let number = unsafe posix_spawn(&child, "/bin/sh", &actions, &attributes, words, environ)
        guard number == 0 else { throw SystemError(number: number) }
        return child
    }
}
