internal import ArgumentParser
internal import TensorTypes

/// What the command's end says.
///
/// The numbers are those of sysexits.h where it has one.
enum ExitStatus: Int32 {
    case ok = 0
    case different = 1
    case failed = 2
    case usage = 64
    case malformed = 65
    case missing = 66
    case cannotCreate = 73
    case io = 74
    case interrupted = 130

    /// The status of an error.
    init(of error: SiltError) {
        switch error.code {
        case let code where code.isOfFormat: self = .malformed
        case .usage: self = .usage
        case .inputMissing: self = .missing
        case .cannotCreate: self = .cannotCreate
        case .io: self = .io
        case .interrupted: self = .interrupted
        default: self = .failed
        }
    }

    var code: ExitCode { ExitCode(rawValue) }

    /// The part of every help text that lists the codes.
    static let help = """
        EXIT STATUS
          0    success
          1    verification found a difference
          2    the work failed for another reason
          64   wrong usage
          65   an input is malformed, damaged, or the wrong base
          66   an input is missing or cannot be opened
          73   the output cannot be created, or exists (see --force)
          74   reading or writing failed
          130  interrupted; nothing is left half-written
        """
}
