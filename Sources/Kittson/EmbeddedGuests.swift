// The guest images that every installation carries.
import GuestImages

/// The images that Kittson carries (`Guests/`).
public enum EmbeddedGuests {
  /// The paravirtualised kernel that boots where no image is named (Guests/pvkernel).
  public static var pvkernel: [UInt8] {
    Array(UnsafeBufferPointer(start: kt_guest_pvkernel(), count: kt_guest_pvkernel_size()))
  }
}
