#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// The command's two streams.
///
/// Nothing below the command prints.
enum Terminal {
    /// Writes a line to standard output.
    ///
    /// Ends the program if that fails, unless the reader has closed the pipe: who asked for a report must hear that there is
    /// none.
    static func say(_ line: String) { emit(Text.printable(line)) }

    /// Writes text for another program to standard output, as it is, and a line's end; like `say`.
    static func emit(_ text: String) {
        guard !put(text + "\n", to: STDOUT_FILENO), errno != EPIPE else { return }
        complain("error: io: cannot write to standard output")
        exit(ExitStatus.io.rawValue)
    }

    /// Writes a line to standard error.
    static func complain(_ line: String) { _ = put(Text.printable(line) + "\n", to: STDERR_FILENO) }

    /// Writes text to standard error, without a line's end.
    static func draw(_ text: String) { _ = put(text, to: STDERR_FILENO) }

    /// Whether a person watches standard error.
    static var isWatched: Bool { isatty(STDERR_FILENO) == 1 }

    /// Columns of the terminal; 80 if it does not say.
    static var columns: Int {
        var size = winsize()
        guard unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 40 else { return 80 }
        return Int(size.ws_col)
    }

    /// Processors that are there to use.
    static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    private static func put(_ text: String, to descriptor: Int32) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var done = 0
            while done < bytes.count {
                let count = unsafe write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
    }
}
