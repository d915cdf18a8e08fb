internal import Synchronization
package import TensorTypes

/// The digests of a tensor's or file's pieces, filled in by workers in any order.
package final class DigestSlots: Sendable {
    private struct State {
        var digests: [Digest128?]
        var missing: Int
    }

    private let state: Mutex<State>

    package init(_ count: Int) { state = Mutex(State(digests: Array(repeating: nil, count: count), missing: count)) }

    /// Puts in the digest of piece `index`, in place of one that is there.
    package func set(_ index: Int, _ digest: Digest128) {
        state.withLock { state in
            if state.digests[index] == nil { state.missing -= 1 }
            state.digests[index] = digest
        }
    }

    /// Whether `digest` is that of piece `index`, as a reading before found it; without one it is put in.
    package func settle(_ index: Int, _ digest: Digest128) -> Bool {
        state.withLock { state in
            guard let known = state.digests[index] else {
                state.missing -= 1
                state.digests[index] = digest
                return true
            }
            return known == digest
        }
    }

    /// The digest of piece `index`, once it is there.
    package subscript(index: Int) -> Digest128? { state.withLock { $0.digests[index] } }

    /// The tree digest (Formats/Silt.md, section 4.4); nil while a piece is missing.
    package var tree: Digest128? {
        state.withLock { state in state.missing == 0 ? Digest128(pieces: state.digests.compactMap { $0 }) : nil }
    }
}
