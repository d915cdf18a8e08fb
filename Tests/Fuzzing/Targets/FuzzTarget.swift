internal import TensorTypes
internal import DeltaCodecs

/// A parser or decoder that takes bytes from strangers: whatever they are, it gives a result or one of Silt's own errors.
package struct FuzzTarget: Sendable, CustomStringConvertible {
    /// The name of its directory below Tests/Fuzzing/Corpus.
    package let name: String
    /// Inputs as Silt's own writers make them, from which others are made.
    package let seeds: @Sendable () -> [[UInt8]]
    private let body: @Sendable ([UInt8]) throws -> Void

    init(_ name: String, seeds: @escaping @Sendable () -> [[UInt8]], body: @escaping @Sendable ([UInt8]) throws -> Void)
    {
        (self.name, self.seeds, self.body) = (name, seeds, body)
    }

    package var description: String { name }

    /// Inputs that a test makes of the seeds: those that open files take longest.
    package var rounds: Int { name == "file" ? 60 : 300 }

    /// Every target.
    package static let all = [json, header, container, manifest, chunk, matrix, file, adapterConfiguration, adapter]

    /// What became of an input.
    package enum Outcome: Sendable, Equatable {
        case accepted
        /// Refused, as it should be.
        case refused
        /// What must not happen, in words; traps do not get here.
        case wrong(String)
    }

    /// Runs the target on an input.
    package func run(_ input: [UInt8]) -> Outcome {
        do {
            try body(input)
            return .accepted
        } catch let error as SiltError {
            // An error of Silt's own is no answer to an input.
            return error.code == .fault ? .wrong("\(error)") : .refused
        } catch let error as FuzzFailure {
            return .wrong(error.reason)
        } catch {
            let isKnown = error is JSONError || error is ChunkError || error is TablesError || error is MatrixError
            return isKnown ? .refused : .wrong("\(error)")
        }
    }
}

/// A result that contradicts another.
struct FuzzFailure: Error {
    let reason: String
}
