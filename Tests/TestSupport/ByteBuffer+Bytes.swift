package import TensorTypes

extension ByteBuffer {
    /// A buffer that holds `bytes`, with the padding that kernels may read.
    package convenience init(_ bytes: [UInt8]) {
        self.init(capacity: bytes.count)
        unsafe prefix(bytes.count).copyBytes(from: bytes)
    }

    /// A copy of the first `count` bytes.
    package func bytes(_ count: Int) -> [UInt8] { unsafe Array(prefix(count)) }
}
