#pragma once

namespace mpquic {

template <class T>
struct ListLink {
  T* previous = nullptr;
  T* next = nullptr;
  bool linked = false;
};

/// A doubly linked list through a member of its elements, which it does not own. An element must be erased from the
/// list before it goes.
template <class T, ListLink<T> T::*Link>
class IntrusiveList {
 public:
  [[nodiscard]] bool empty() const { return first_ == nullptr; }
  [[nodiscard]] T& front() const { return *first_; }
  /// Of an element that is in no other list by the same member.
  [[nodiscard]] bool contains(const T& element) const { return (element.*Link).linked; }
  /// No effect on an element that is in the list already.
  void push_back(T& element) {
    ListLink<T>& link = element.*Link;
    if (link.linked) return;
    link = {last_, nullptr, true};
    (last_ != nullptr ? (last_->*Link).next : first_) = &element;
    last_ = &element;
  }
  /// No effect on an element that is not in the list.
  void erase(T& element) {
    ListLink<T>& link = element.*Link;
    if (!link.linked) return;
    (link.previous != nullptr ? (link.previous->*Link).next : first_) = link.next;
    (link.next != nullptr ? (link.next->*Link).previous : last_) = link.previous;
    link = {};
  }
  void move_to_back(T& element) {
    if (last_ == &element) return;
    erase(element);
    push_back(element);
  }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
};

}  // namespace mpquic
