internal import TensorTypes

/// A failed system call: the number that it left in `errno`.
struct SystemError: Error, Hashable {
    /// The value of `errno`.
    let number: Int32

    /// What the number means.
    ///
    /// A full disk is said in plain words, whatever the C library calls it.
    var text: String {
        switch number {
        case System.noSpace: "no space left on the device"
        case System.quota: "no space left within the disk quota"
        case System.tooLarge: "no space left for so large a file (limit of the file system or of the process)"
        default: System.text(of: number)
        }
    }

    /// Whether the call failed because nothing bears the name.
    var isMissing: Bool { System.missing.contains(number) }

    /// This failure as an error of class `code`.
    ///
    /// `doing` begins the sentence: "cannot write".
    func error(_ code: SiltError.Code, _ doing: String, file: String, advice: String? = nil) -> SiltError {
        SiltError(
            code, "\(doing): \(text)", file: file, advice: advice, cause: Errno(rawValue: number))
    }

    /// The error of an output that cannot be made: class `io` where space or the device is to blame, else
    /// `cannotCreate`.
    func creationError(_ doing: String, file: String) -> SiltError {
        error(System.deviceFailures.contains(number) ? .io : .cannotCreate, doing, file: file)
    }
}
