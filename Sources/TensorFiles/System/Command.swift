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

    /// What the shell is told.
    package let line: String

    package init(_ line: String) { self.line = line }

    /// `word` as one word of a shell command, whatever is in it.
    package static func quoted(_ word: String) -> String {
        "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// Runs the command with `/bin/sh -c` and waits for its end.
    ///
    /// Its standard error and its environment are this process's; it reads nothing.
    package func run() throws(SiltError) -> Outcome {
        do throws(SystemError) {
            try System.check(line)
            return try start()
        } catch {
            throw SiltError(.io, "the command \"\(line)\" cannot be run: \(System.text(of: error.number))")
        }
    }

    private func start() throws(SystemError) -> Outcome {
        var ends: [Int32] = [0, 0]
        try System.retry { unsafe pipe(&ends) }
        let (reading, writing) = (ends[0], ends[1])
        defer { System.close(reading) }
        // The other end is the child's alone: reading ends when it does.
        let spawned = Result { () throws(SystemError) in try spawn(output: writing, closing: reading) }
        System.close(writing)
        let child = try spawned.get()
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: Command.limit)
        while true {
            let count = try System.retry { unsafe read(reading, &buffer, buffer.count) }
            guard count > 0 else { break }
            output += buffer[0..<count]
            if output.count > 2 * Command.limit { output.removeFirst(output.count - Command.limit) }
        }
        var status: Int32 = 0
        _ = try System.retry { unsafe waitpid(child, &status, 0) }
        let signal = Int(status & 0x7F)
        return Outcome(
            status: signal == 0 ? Int(status >> 8 & 0xFF) : 128 + signal, output: output.suffix(Command.limit))
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
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        var child: pid_t = 0
        let texts: [String] = ["sh", "-c", line]
        let words: [UnsafeMutablePointer<CChar>?] = unsafe texts.map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        let number = unsafe posix_spawn(&child, "/bin/sh", &actions, &attributes, words, environ)
        guard number == 0 else { throw SystemError(number: number) }
        return child
    }
}
