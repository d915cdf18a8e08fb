internal import DeltaKernels
internal import Safetensors
internal import TensorTypes

/// Differences of the bytes of whole tensors.
enum ByteDifference {
    /// Turns `bytes` into themselves xor those of `tensor`, which are as many, read piece by piece.
    static func xor(_ bytes: inout [UInt8], with tensor: Checkpoint.Tensor) throws(SiltError) {
        for start in stride(from: 0, to: bytes.count, by: DirectoryRewrite.piece) {
            let old = try tensor.bytes(start..<min(bytes.count, start + DirectoryRewrite.piece))
            unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe old.withUnsafeBytes { other in
                    guard let target = buffer.baseAddress, let source = other.baseAddress else { return }
                    unsafe Planes.xor(target + start, source, bytes: other.count)
                }
            }
        }
    }

    /// Whether all bytes are 0.
    static func isZero(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy { $0 == 0 } }
}
