internal import SystemCalls
internal import TensorTypes

extension SystemError {
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
