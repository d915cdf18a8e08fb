/// The few values that were used last.
///
/// Coders' tables take up to half a MiB each; a worker meets those of one tensor and of the groups of small tensors. The code is
/// inlined where it is used, so that it is compiled for the types there: workers ask it for every cell.
package struct RecentlyUsed<Key: Equatable, Value> {
    @usableFromInline package let limit: Int
    @usableFromInline package var entries: [(key: Key, value: Value)] = []

    /// Keeps at most `limit` values.
    @inlinable package init(limit: Int = 4) { self.limit = limit }

    /// The value of `key`, which thereby becomes the newest.
    package subscript(key: Key) -> Value? {
        @inlinable @inline(__always) mutating get {
            for index in entries.indices where entries[index].key == key {
                if index > 0 { entries.insert(entries.remove(at: index), at: 0) }
                return entries[0].value
            }
            return nil
        }
    }

    /// Puts in a new value; the oldest one goes.
    @inlinable package mutating func insert(_ value: Value, for key: Key) {
        entries.insert((key, value), at: 0)
        if entries.count > limit { entries.removeLast() }
    }
}
