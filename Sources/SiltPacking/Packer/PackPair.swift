internal import ByteSources
package import Logging
package import Safetensors
internal import SiltReading
package import TensorTypes

/// Two checkpoints that are packed, opened once.
package struct PackPair: Sendable {
    package let base: Checkpoint
    package let fineTuned: Checkpoint

    package init(base: Checkpoint, fineTuned: Checkpoint) { (self.base, self.fineTuned) = (base, fineTuned) }

    /// A fine-tuned checkpoint that is open, and its base.
    package init(base: String, _ fineTuned: Checkpoint) throws(SiltError) {
        self.base = try Checkpoint.asBase(base)
        self.fineTuned = fineTuned
    }

    package init(base: String, fineTuned: String) throws(SiltError) {
        self.base = try Checkpoint.asBase(base)
        self.fineTuned = try Checkpoint.asResult(fineTuned)
    }

    /// Throws `cannotCreate` if `output` is one of the files, or among them.
    package func check(output: String) throws(SiltError) {
        try OutputGuard.check(output, outside: fineTuned)
        try OutputGuard.check(output, files: [], checkpoints: [base, fineTuned])
    }

    /// Says which files are taken as the models where that may surprise, and which directories are not packed.
    package func note(_ log: Logger) {
        for checkpoint in [base, fineTuned] {
            for note in checkpoint.notes { log.notice("\(note)") }
        }
        guard fineTuned.form == .directory else { return }
        for directory in DirectoryListing.skipped.sorted()
        where DirectoryListing.kind(of: fineTuned.path(of: directory)) == .directory {
            log.notice("leaving out \(directory) of \(fineTuned.path)")
        }
    }
}
