internal import Synchronization
internal import ByteSources
internal import TensorTypes

/// Writes what workers have rebuilt so that none waits for another's write.
///
/// The system lets one thread at a time write to a file. A worker that finds another one writing leaves its buffer to that
/// one, takes an empty buffer for it and goes on; the other writes what was left to it before it goes on itself.
final class WriteQueue: Sendable {
    private struct Piece {
        let file: OutputFile
        let offset: Int
        let buffer: ByteBuffer
        let count: Int
    }

    private struct State {
        var waiting: [Piece] = []
        var free: [ByteBuffer]
        var isWriting = false
        var failure: SiltError?
    }

    private enum Role {
        case writer
        case relieved(ByteBuffer)
        /// All buffers wait to be written: the system makes this thread wait as well.
        case waiting
    }

    private let state: Mutex<State>

    /// - Parameter threads: how many workers there are; so many buffers may wait.
    init(threads: Int) {
        state = Mutex(State(free: (0..<threads).map { _ in ByteBuffer() }))
    }

    /// Writes the first `count` bytes of the worker's result at `offset`, now or soon; the worker may have another buffer for its
    /// next result.
    ///
    /// Everything is written when all workers have returned, unless a write has failed.
    ///
    /// - Throws: `io`, also for pieces of other workers.
    func write(_ count: Int, of worker: DecodeWorker, to file: OutputFile, at offset: Int) throws(SiltError) {
        let piece = Piece(file: file, offset: offset, buffer: worker.result, count: count)
        let role = state.withLock { state -> Result<Role, SiltError> in
            if let failure = state.failure { return .failure(failure) }
            guard state.isWriting else {
                state.isWriting = true
                return .success(.writer)
            }
            guard let buffer = state.free.popLast() else { return .success(.waiting) }
            state.waiting.append(piece)
            return .success(.relieved(buffer))
        }
        switch try role.get() {
        case .relieved(let buffer): worker.result = buffer
        case .waiting: try write(piece)
        case .writer: try writeAll(from: piece)
        }
    }

    /// Writes `first` and all that is left to this thread meanwhile.
    private func writeAll(from first: Piece) throws(SiltError) {
        do throws(SiltError) {
            try write(first)
            while let piece = next() {
                try write(piece)
                state.withLock { $0.free.append(piece.buffer) }
            }
        } catch {
            state.withLock { $0.failure = error }
            throw error
        }
    }

    /// The next piece to write; nil ends this thread's turn.
    private func next() -> Piece? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isWriting = false
                return nil
            }
            return state.waiting.removeFirst()
        }
    }

    private func write(_ piece: Piece) throws(SiltError) {
        try unsafe piece.file.write(UnsafeRawBufferPointer(piece.buffer.prefix(piece.count)), at: piece.offset)
    }
}
