/// What data were for when a file was made.
package enum DataUse: String, CaseIterable, Sendable {
    /// Choices were made on them, without their labels.
    case calibration
    /// Choices were made on them, with their labels.
    case validation
    /// No choices were made on them.
    case test
}
