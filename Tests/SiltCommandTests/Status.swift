@testable import SiltCommand

/// The command's `ExitStatus`: Testing has a type of the same name, and the module's name is that of a type in it.
typealias Status = ExitStatus
