internal import SystemCalls
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

    /// Runs the command with `/bin/sh -c` and waits for its end.
    ///
    /// Its standard error and its environment are this process's; it reads nothing. It has a process group of its own, so
    /// that all that it starts ends with it: by SIGTERM once `isCancelled` says so (asked ten times a second), and what
    /// is left two seconds later by SIGKILL.
    package func run(isCancelled: () -> Bool = { false }) throws(SiltError) -> Outcome {
        do throws(SystemError) {
            return try start(isCancelled)
        } catch {
            throw SiltError(.io, "the command \"\(line)\" cannot be run: \(System.text(of: error.number))")
        }
    }

    private func start(_ isCancelled: () -> Bool) throws(SystemError) -> Outcome {
        let (reading, writing) = try System.pipe()
        defer { System.close(reading) }
        // The other end is the child's alone: reading ends when it does.
        let spawned = Result { () throws(SystemError) in
            try System.spawn("/bin/sh", ["sh", "-c", line], output: writing, closing: reading)
        }
        System.close(writing)
        let child = try spawned.get()
        var end: ContinuousClock.Instant?
        /// Whether to wait on: not for ever, once the work is cancelled.
        func mayWait() -> Bool {
            if end == nil, isCancelled() {
                end = .now + .seconds(Command.grace)
                System.send(.terminate, toGroup: child)
            }
            return end.map { .now < $0 } ?? true
        }
        let output = Result { () throws(SystemError) in try Command.output(of: reading, mayWait) }
        // The child is not reaped yet, so the group is still its own; who heard the first signal has closed the output.
        if end != nil { System.send(.kill, toGroup: child) }
        let status = Result { () throws(SystemError) in try Command.status(of: child, mayWait) }
        return Outcome(status: try status.get(), output: try output.get())
    }

    /// The end of what comes out of a pipe until it closes, or nobody waits any more.
    private static func output(of reading: Int32, _ mayWait: () -> Bool) throws(SystemError) -> [UInt8] {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: limit)
        while mayWait() {
            guard try System.waitForInput(reading, milliseconds: 100) else { continue }
            let count = try System.read(reading, into: &buffer)
            guard count > 0 else { break }
            output += buffer[0..<count]
            if output.count > 2 * limit { output.removeFirst(output.count - limit) }
        }
        return output.suffix(limit)
    }

    /// How a child ended whose output has; those that go on after that are killed once nobody waits any more.
    private static func status(of child: Int32, _ mayWait: () -> Bool) throws(SystemError) -> Int {
        var (pause, isKilled) = (UInt32(500), false)
        while true {
            if let status = try System.status(ofChild: child, waits: isKilled) { return status }
            if !mayWait() {
                System.send(.kill, toGroup: child)
                isKilled = true
            } else {
                System.sleep(microseconds: pause)
                pause = min(2 * pause, 100_000)
            }
        }
    }
}
